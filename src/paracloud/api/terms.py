"""What a centre was connected with, for the operator: to look at, and to change."""

from datetime import timedelta

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.centres.centre import Centre as ReachedCentre
from paracloud.centres.change_terms import Changes, change_terms
from paracloud.centres.registry import reached_centre
from paracloud.kit.identifiers import CentreName
from paracloud.wire.paying import Centre
from paracloud.wire.terms import TermsModel, TermsRequest

router = APIRouter(prefix="/operator", tags=["operator"])


@router.get("/centres/{centre}")
async def show_terms(centre: Centre, deps: TheDeps, token: Token) -> TermsModel:
    async with asked(deps, token) as at:
        operator(at, deps)
        return _shown(await reached_centre(at.session, CentreName(centre)))


@router.patch("/centres/{centre}")
async def change_centre(centre: Centre, body: TermsRequest, deps: TheDeps, token: Token) -> TermsModel:
    """Change what a connected centre was connected with. Who tends it lets go, and begins anew with that."""
    async with asked(deps, token) as at:
        now, person = operator(at, deps), at.caller.login
        name, changes = CentreName(centre), _changes(body)
        return _shown(await change_terms(at.session, name, changes, person=person, reason=body.reason, now=now))


def _changes(body: TermsRequest) -> Changes:
    changes = Changes()
    for field in ("host", "port", "host_key", "commands_per_minute", "region"):
        if (value := getattr(body, field)) is not None:
            changes[field] = value
    if body.patience_seconds is not None:
        changes["patience"] = timedelta(seconds=body.patience_seconds)
    if body.overrun_seconds is not None:
        changes["overrun"] = timedelta(seconds=body.overrun_seconds)
    return changes


def _shown(of: ReachedCentre) -> TermsModel:
    return TermsModel(
        centre=of.name,
        host=of.host,
        port=of.port,
        host_key=of.host_key,
        dialect=of.dialect,
        service_account=of.service_account,
        commands_per_minute=of.commands_per_minute,
        patience_seconds=int(of.patience.total_seconds()),
        overrun_seconds=int(of.overrun.total_seconds()),
        region=of.region,
    )
