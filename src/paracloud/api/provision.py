"""What the operator says that centres have, and where the data of projects may be."""

from typing import TypedDict
from uuid import UUID

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.centres.centre import Provision
from paracloud.centres.provide import Changes, provide
from paracloud.identity.residency import restrict_residency
from paracloud.kit.identifiers import CentreName, ProjectId
from paracloud.wire.paying import Centre
from paracloud.wire.provision import ProvisionModel, ProvisionRequest, ResidencyModel, ResidencyRequest

router = APIRouter(prefix="/operator", tags=["operator"])


class ShownProvision(TypedDict):
    """What a centre's models say of it."""

    applications: list[str]
    licences: list[str] | None
    trust: int
    bytes_per_second: int | None


@router.patch("/centres/{centre}/provision")
async def change_provision(centre: Centre, body: ProvisionRequest, deps: TheDeps, token: Token) -> ProvisionModel:
    """Say what a centre has; for what is quoted and submitted from now on."""
    async with asked(deps, token) as at:
        now, person = operator(at, deps), at.caller.login
        after = await provide(at.session, CentreName(centre), _changes(body), person=person, now=now)
    return ProvisionModel(centre=centre, **shown_provision(after))


@router.put("/projects/{project}/residency")
async def change_residency(project: UUID, body: ResidencyRequest, deps: TheDeps, token: Token) -> ResidencyModel:
    """Say in which regions the data of a project may be; for what is quoted and submitted from now on."""
    async with asked(deps, token) as at:
        now, person = operator(at, deps), at.caller.login
        await restrict_residency(at.session, ProjectId(project), body.regions, person=person, now=now)
    return ResidencyModel(project=project, regions=None if body.regions is None else sorted(set(body.regions)))


def shown_provision(of: Provision) -> ShownProvision:
    return ShownProvision(
        applications=sorted(of.applications),
        licences=None if of.licences is None else sorted(of.licences),
        trust=of.trust,
        bytes_per_second=of.bytes_per_second,
    )


def _changes(body: ProvisionRequest) -> Changes:
    changes = Changes()
    if body.applications is not None:
        changes["applications"] = frozenset(body.applications)
    if body.licences is not None:
        changes["licences"] = frozenset(body.licences)
    if body.trust is not None:
        changes["trust"] = body.trust
    if body.bytes_per_second is not None:
        changes["bytes_per_second"] = body.bytes_per_second
    return changes
