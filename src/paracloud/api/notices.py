"""What a project, and the operator, is told of money."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query

from paracloud.api import shown
from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.billing.notice import Notice
from paracloud.billing.notices import PAGE_MOST, notices_of, operators_notices
from paracloud.kit.identifiers import ProjectId
from paracloud.wire.notices import NoticeList, NoticeModel

router = APIRouter(tags=["account"])
LARGEST = (1 << 63) - 1
After = Annotated[int, Query(ge=0, le=LARGEST, description="Only what has a larger number.")]
Limit = Annotated[int, Query(ge=1, le=PAGE_MOST)]


@router.get("/projects/{project}/notices")
async def list_notices(project: UUID, deps: TheDeps, token: Token, after: After = 0, limit: Limit = 50) -> NoticeList:
    """Levels of money and of budgets, and landings of jobs. Of other users' budgets an owner alone is told."""
    async with asked(deps, token) as at:
        at.caller.require_reader(ProjectId(project))
        user = None if at.caller.owns(ProjectId(project)) else at.caller.user
        found = await notices_of(at.session, ProjectId(project), after=after, limit=limit, user=user)
    return NoticeList(items=[_shown(id_, one) for id_, one in found])


@router.get("/operator/notices")
async def list_operators_notices(deps: TheDeps, token: Token, after: After = 0, limit: Limit = 50) -> NoticeList:
    """Days whose books differ or could not be compared, dedicated nodes that lapsed, and disputes of centres."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await operators_notices(at.session, after=after, limit=limit)
    return NoticeList(items=[_shown(id_, one) for id_, one in found])


def _shown(id_: int, one: Notice) -> NoticeModel:
    return NoticeModel(
        id=id_,
        kind=one.kind.value,
        at=one.at,
        en=one.en,
        zh=one.zh,
        amount=None if one.organisation is not None else shown.money(one.amount),
        level=None if one.level is None else shown.money(one.level),
        reference=one.reference,
        user=one.user,
        of=_reader(one),
    )


def _reader(one: Notice) -> Literal["project", "organisation", "operator"]:
    if one.project is not None:
        return "project"
    return "organisation" if one.organisation is not None else "operator"
