"""Nodes that are one customer's alone, for a fee by the month."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.known_queue import known_queue
from paracloud.billing.refused import no_centre, no_project, refused
from paracloud.billing.tables_paying import DedicationRow
from paracloud.kit.errors import Conflict, Invalid, NotFound, Refused
from paracloud.kit.identifiers import CentreName, DedicationId, ProjectId, new_uuid
from paracloud.kit.money import Money

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
    """Conflict where the project has nodes of this queue already at some of the same time. Invalid where the queue is
    not known (`is_unseen`: see known_queue), or has more nodes than these: what runs on the others would be free."""
    if wanted.nodes < 1 or wanted.monthly.micro < 0 or not 0 <= wanted.share_basis_points <= WHOLE:
        raise Invalid(
            "At least one node, a fee of nothing or more, and a share of 0 to 10000 basis points.",
            "节点数至少为 1，月费不得为负，分成须为 0 到 10000 基点。",
            field="nodes",
        )
    if wanted.valid_to is not None and wanted.valid_to <= wanted.valid_from:
        raise Invalid("valid_to: later than valid_from.", "valid_to：必须晚于 valid_from。", field="valid_to")
    found = await known_queue(session, wanted.centre, wanted.queue, is_unseen=is_unseen)
    if found is not None and found.nodes > wanted.nodes:
        raise _too_few(wanted, found.nodes)
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
            "The project has dedicated nodes of this queue for some of this time; end those first.",
            "该课题组在此时段已有该队列的独占节点；请先结束。",
            field="valid_from",
        ),
        "fk_dedications_centre": no_centre(centre),
        "fk_dedications_project_id": no_project(),
    }


def _too_few(wanted: Dedication, there: int) -> Invalid:
    place = f"{wanted.centre}/{wanted.queue}"
    return Invalid(
        f"{place} has {there} nodes, more than the {wanted.nodes} to be dedicated, and what runs on the others would "
        f"be free as well. Have the centre make a queue of just these nodes, or dedicate all {there}.",
        f"{place} 有 {there} 个节点，多于要独占的 {wanted.nodes} 个，其余节点上的作业也将免费。"
        f"请超算中心为这些节点单独建立分区，或独占全部 {there} 个节点。",
        field="nodes",
    )


async def end_dedication(session: AsyncSession, id_: DedicationId, at: datetime, *, person: str, now: datetime) -> None:
    """NotFound; Invalid for a time in the past, before it begins, or after the end that it has."""
    found = (await session.execute(select(DedicationRow).where(DedicationRow.id == id_))).scalar_one_or_none()
    if found is None:
        raise NotFound("There are no such dedicated nodes.", "独占节点不存在。", field="dedication")
    if at < now or at <= found.valid_from or (found.valid_to is not None and found.valid_to < at):
        raise Invalid(
            "at: now or later, after the beginning, and not after the end that is agreed.",
            "at：不得早于现在，须晚于开始时间，且不得晚于已定的结束时间。",
            field="at",
        )
    await session.execute(update(DedicationRow).where(DedicationRow.id == id_).values(valid_to=at, ended_by=person))


async def lapse(session: AsyncSession, of: Dedication, at: datetime) -> None:
    """It ends then, or had no time at all: whoever does not pay for a month has no nodes in it."""
    at = max(at, of.valid_from + timedelta(microseconds=1))
    await session.execute(update(DedicationRow).where(DedicationRow.id == of.id).values(valid_to=at))


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
        for row in (await session.scalars(query)).all()
    ]  # fmt: skip


def new_dedication_id() -> DedicationId:
    return DedicationId(new_uuid())
