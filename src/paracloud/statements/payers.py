"""Whose statements a caller may see."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.identity.caller import Caller
from paracloud.kit.errors import NotFound
from paracloud.kit.identifiers import ProjectId
from paracloud.statements import store
from paracloud.statements.statement import Payer, PayerKind


async def payer_of(session: AsyncSession, caller: Caller, kind: PayerKind, id_: UUID) -> Payer:
    """A project that the caller reads; or an organisation of which the caller reads every project, and so sees all of
    it anyway. NotFound for anything else."""
    mine = set(caller.reads())
    rows = await _projects(session, kind, id_)
    if not rows or not {ProjectId(row.id) for row in rows} <= mine:
        raise _unknown(kind)
    return _payer(kind, rows)


async def any_payer(session: AsyncSession, kind: PayerKind, id_: UUID) -> Payer:
    """For the operator. NotFound where there is none."""
    rows = await _projects(session, kind, id_)
    if not rows:
        raise _unknown(kind)
    return _payer(kind, rows)


async def _projects(session: AsyncSession, kind: PayerKind, id_: UUID) -> Sequence[Row[*tuple[Any, ...]]]:
    if kind is PayerKind.PROJECT:
        return await store.projects(session, project=id_)
    return await store.projects(session, organisation=id_)


def _payer(kind: PayerKind, rows: Sequence[Row[*tuple[Any, ...]]]) -> Payer:
    first = rows[0]
    is_project = kind is PayerKind.PROJECT
    return Payer(
        kind,
        first.id if is_project else first.organisation_id,
        first.name if is_project else first.organisation,
        first.organisation,
        first.organisation_id,
        {ProjectId(row.id): row.name for row in rows},
    )


def _unknown(kind: PayerKind) -> NotFound:
    if kind is PayerKind.PROJECT:
        return NotFound(
            "There is no such project, or it is not yours; `whoami` lists yours.",
            "课题组不存在或不属于您；可用 whoami 查看您的课题组。",
        )
    return NotFound(
        "There is no such organisation with projects, or you are not in all of them.",
        "组织不存在、尚无课题组，或您未加入其全部课题组。",
    )
