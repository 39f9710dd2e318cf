"""What the operator looks at: of any project its money and its bills; lists of what there is."""

from uuid import UUID

from fastapi import APIRouter

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.api.paying import require_project
from paracloud.api.shown_money import balance_of, moved
from paracloud.api.shown_paying import package_model
from paracloud.api.shown_statements import bill_model
from paracloud.billing.packages import packages_of
from paracloud.identity.overview import all_organisations, all_projects
from paracloud.jobs.show import whose
from paracloud.kit.identifiers import JobId, ProjectId
from paracloud.statements.state_month import bill_of
from paracloud.wire.account import BalanceModel, StatementModel
from paracloud.wire.base import Time
from paracloud.wire.lists import (
    OrganisationList,
    OrganisationModel,
    OwnedPackageModel,
    OwnedProjectModel,
    PackageList,
    ProjectList,
)
from paracloud.wire.statements import BillModel

router = APIRouter(prefix="/operator", tags=["operator"])


@router.get("/organisations")
async def organisations(deps: TheDeps, token: Token) -> OrganisationList:
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await all_organisations(at.session)
    return OrganisationList(
        items=[OrganisationModel(id=one.id, name=one.name, category=one.category.value) for one in found]
    )


@router.get("/projects")
async def projects(deps: TheDeps, token: Token) -> ProjectList:
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await all_projects(at.session)
    return ProjectList(
        items=[
            OwnedProjectModel(
                id=one.id, name=one.name, organisation=one.organisation.id, organisation_name=one.organisation.name
            )
            for one in found
        ]
    )


@router.get("/packages")
async def packages(deps: TheDeps, token: Token, project: UUID | None = None) -> PackageList:
    """Packages and credits of a project, or of all; closed ones too, earliest expiry first."""
    async with asked(deps, token) as at:
        operator(at, deps)
        if project is not None:
            await require_project(at.session, project)
        wanted = [one.id for one in await all_projects(at.session)] if project is None else [ProjectId(project)]
        found = await packages_of(at.session, wanted)
    return PackageList(
        items=[OwnedPackageModel(**package_model(one).model_dump(), project=one.project) for one in found]
    )


@router.get("/projects/{project}/balance")
async def balance(project: UUID, deps: TheDeps, token: Token) -> BalanceModel:
    """Of any project."""
    async with asked(deps, token) as at:
        operator(at, deps)
        await require_project(at.session, project)
        return await balance_of(at.session, ProjectId(project))


@router.get("/projects/{project}/statement")
async def movements(
    project: UUID, deps: TheDeps, token: Token, start: Time | None = None, end: Time | None = None
) -> StatementModel:
    """What moved any project's money, as its members see it."""
    async with asked(deps, token) as at:
        now = operator(at, deps)
        await require_project(at.session, project)
        return await moved(at.session, ProjectId(project), now, start, end)


@router.get("/jobs/{job}/bill")
async def bill(job: UUID, deps: TheDeps, token: Token) -> BillModel:
    """Of any project's job."""
    async with asked(deps, token) as at:
        operator(at, deps)
        project, currency = await whose(at.session, JobId(job))
        lines = await bill_of(at.session, project, str(job))
    return bill_model(job, currency, lines)
