"""Nodes that are one customer's alone, for a fee by the month."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.known_queue import known_queue
from paracloud.billing.period import is_closed, month_of
from paracloud.billing.refused import no_centre, no_project, refused
from paracloud.billing.tables_paying import DedicationRow
from paracloud.kit.errors import Conflict, Invalid, NotFound, Refused
from paracloud.kit.identifiers import CentreName, DedicationId, ProjectId, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.listing import has_run

WHOLE = 10_000


@dataclass(frozen=True, slots=True)
class Dedication:
    """It holds in [valid_from, valid_to); None: until it is ended. Each second that something runs in the queue
    meanwhile, on no more nodes than these, costs the project nothing more than the fee, of which the centre has its
    share."""

    id: DedicationId
    project: ProjectId
    centre: CentreName
    queue: str
    nodes: int
    monthly: Money
    share_basis_points: int
    valid_from: datetime
    valid_to: datetime | None
    created_at: datetime | None = None
    created_by: str | None = None
    ended_by: str | None = None

    def holds_at(self, when: datetime) -> bool:
        return self.valid_from <= when and (self.valid_to is None or when < self.valid_to)

    def covers(self, project: ProjectId, centre: CentreName, queue: str, nodes: int) -> bool:
        """What needs more nodes than these cannot be on these alone: it has its ordinary price."""
        return (self.project, self.centre, self.queue) == (project, centre, queue) and nodes <= self.nodes

    def holds_of(self, start: datetime, end: datetime) -> timedelta:
        """For how long it holds in [start, end)."""
        return max(min(end, self.valid_to or end) - max(start, self.valid_from), timedelta(0))


async def dedicate(
    session: AsyncSession, wanted: Dedication, *, person: str, now: datetime, is_unseen: bool = False
) -> None:
    """Conflict where nodes of this queue are dedicated already at some of the same time, whoever's they are, since a
    queue is dedicated whole; and where it begins in the past and something of the project ran there since, at its
    price. Invalid where it begins in a closed month, where the queue is not known (`is_unseen`: see known_queue), and
    where it has another number of nodes: what runs on more would be free, and fewer are not there."""
    if wanted.nodes < 1 or wanted.monthly.micro < 0 or not 0 <= wanted.share_basis_points <= WHOLE:
        raise Invalid(
            "At least one node, a fee of nothing or more, and a share of 0 to 10000 basis points.",
            "节点数至少为 1，月费不得为负，分成须为 0 到 10000 基点。",
            field="nodes",
        )
    if wanted.valid_to is not None and wanted.valid_to <= wanted.valid_from:
        raise Invalid("valid_to: later than valid_from.", "valid_to：必须晚于 valid_from。", field="valid_to")
    found = await known_queue(session, wanted.centre, wanted.queue, is_unseen=is_unseen)
    if found is not None and found.nodes != wanted.nodes:
        raise _not_whole(wanted, found.nodes)
    if wanted.valid_from < now:
        await _require_untouched(session, wanted)
    row = DedicationRow(
        id=wanted.id, project_id=wanted.project, centre=wanted.centre, queue=wanted.queue, nodes=wanted.nodes,
        monthly_micro=wanted.monthly.micro, share_basis_points=wanted.share_basis_points,
        currency=wanted.monthly.currency, valid_from=wanted.valid_from, valid_to=wanted.valid_to,
        created_at=now, created_by=person,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        raise refused(error, _reasons(wanted.centre)) from error


def _reasons(centre: CentreName) -> dict[str, Refused]:
    return {
        "dedications_do_not_overlap": Conflict(
            "The nodes of this queue are dedicated for some of this time; end that first (`admin dedications`).",
            "该队列的节点在此时段已被独占；请先结束（见 admin dedications）。",
            field="valid_from",
        ),
        "fk_dedications_centre": no_centre(centre),
        "fk_dedications_project_id": no_project(),
    }


async def _require_untouched(session: AsyncSession, wanted: Dedication) -> None:
    """A closed month takes no fee any more, and what was charged at its price does not become free."""
    if await is_closed(session, month_of(wanted.valid_from)):
        raise Invalid(
            f"valid_from: {wanted.valid_from:%Y-%m} is closed; begin in a month that is open.",
            f"valid_from：{wanted.valid_from:%Y-%m} 已关账；请从未关账的月份开始。",
            field="valid_from",
        )
    if await has_run(session, wanted.project, wanted.centre, wanted.queue, wanted.valid_from):
        raise Conflict(
            "Something of the project ran in this queue since then, at its price; begin now, and reverse what should "
            "cost nothing.",
            "该课题组此后已有作业在该队列按价计费；请从现在开始，并冲销不应收取的费用。",
            field="valid_from",
        )


def _not_whole(wanted: Dedication, there: int) -> Invalid:
    place = f"{wanted.centre}/{wanted.queue}"
    if there < wanted.nodes:
        return Invalid(
            f"{place} has {there} nodes, fewer than the {wanted.nodes} to be dedicated: dedicate all {there}.",
            f"{place} 只有 {there} 个节点，少于要独占的 {wanted.nodes} 个：请独占全部 {there} 个。",
            field="nodes",
        )
    return Invalid(
        f"{place} has {there} nodes, more than the {wanted.nodes} to be dedicated, and what runs on the others would "
        f"be free as well. Have the centre make a queue of just these nodes, or dedicate all {there}.",
        f"{place} 有 {there} 个节点，多于要独占的 {wanted.nodes} 个，其余节点上的作业也将免费。"
        f"请超算中心为这些节点单独建立分区，或独占全部 {there} 个节点。",
        field="nodes",
    )


async def end_dedication(session: AsyncSession, id_: DedicationId, at: datetime, *, person: str, now: datetime) -> None:
    """One that has not begun is withdrawn by an end before its beginning, or at it, and never holds. NotFound; Invalid
    for a time in the past, for the beginning of one that has begun, or after the end that it has."""
    found = (await session.execute(select(DedicationRow).where(DedicationRow.id == id_))).scalar_one_or_none()
    if found is None:
        raise NotFound("There are no such dedicated nodes.", "独占节点不存在。", field="dedication")
    is_taken_back = at <= found.valid_from <= now
    end = max(at, found.valid_from)
    if at < now or is_taken_back or (found.valid_to is not None and found.valid_to < end):
        raise Invalid(
            "at: now or later, after the beginning if it has begun, and not after the end that is agreed.",
            "at：不得早于现在；已开始的须晚于其开始时间；且不得晚于已定的结束时间。",
            field="at",
        )
    await session.execute(update(DedicationRow).where(DedicationRow.id == id_).values(valid_to=end, ended_by=person))


async def lapse(session: AsyncSession, of: Dedication, at: datetime) -> None:
    """It ends then, or had no time at all: whoever does not pay for a month has no nodes in it."""
    ending = update(DedicationRow).where(DedicationRow.id == of.id)
    await session.execute(ending.values(valid_to=max(at, of.valid_from)))


async def dedications_of(session: AsyncSession, projects: Collection[ProjectId] | None) -> list[Dedication]:
    """`projects` None: all there are, for the operator."""
    query = select(DedicationRow).order_by(DedicationRow.id)
    if projects is not None:
        query = query.where(DedicationRow.project_id.in_(projects))
    return [
        Dedication(
            DedicationId(row.id), ProjectId(row.project_id), CentreName(row.centre), row.queue, row.nodes,
            Money(row.monthly_micro, row.currency), row.share_basis_points, row.valid_from, row.valid_to,
            row.created_at, row.created_by, row.ended_by,
        )
        for row in (await session.scalars(query.execution_options(populate_existing=True))).all()
    ]  # fmt: skip


def new_dedication_id() -> DedicationId:
    return DedicationId(new_uuid())
