"""Whose statements a caller may see."""

from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity.caller import Caller, Scope
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import ProjectId
from paracloud.statements import store
from paracloud.statements.statement import Payer, PayerKind


async def project_payer(session: AsyncSession, caller: Caller, project: UUID) -> Payer:
    """For its members and the operator; NotFound for anybody else."""
    if not _is_operator(caller):
        caller.require_reader(ProjectId(project))
    rows = await store.projects(session, project=project)
    if not rows:
        raise NotFound("There is no such project.", "课题组不存在。")
    row = rows[0]
    return Payer(
        PayerKind.PROJECT, row.id, row.name, row.organisation, row.organisation_id, {ProjectId(row.id): row.name}
    )


async def organisation_payer(session: AsyncSession, caller: Caller, organisation: UUID) -> Payer:
    """For the operator, and for whoever owns each of its projects and so sees all of it anyway; NotFound for anybody
    else."""
    rows = await store.projects(session, organisation=organisation)
    caller.reads()
    if not rows or not (_is_operator(caller) or all(caller.owns(ProjectId(row.id)) for row in rows)):
        raise NotFound(
            "There is no such organisation with projects, or you do not own all of them.",
            "单位不存在、尚无课题组，或您并非其全部课题组的所有者。",
        )
    first = rows[0]
    return Payer(
        PayerKind.ORGANISATION,
        organisation,
        first.organisation,
        first.organisation,
        organisation,
        {ProjectId(row.id): row.name for row in rows},
    )


def _is_operator(caller: Caller) -> bool:
    return caller.is_operator and Scope.ADMIN in caller.scopes
