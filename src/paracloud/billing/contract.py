"""Co-construction contracts: which share of a charge a centre gets, and whoever lends it nodes of their own."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.agreed import BEFORE, Agreed, holds
from paracloud.billing.refused import no_centre, no_project, refused
from paracloud.billing.tables import ContractRow
from paracloud.billing.tiers import Tiers, read_tiers, write_tiers
from paracloud.kit.errors import Conflict, Invalid, NotFound, Refused
from paracloud.kit.identifiers import CentreName, ContractId, ProjectId, new_uuid

WHOLE = 10_000
COLUMNS = (
    ContractRow.id, ContractRow.centre, ContractRow.queue, ContractRow.share_basis_points,
    ContractRow.owner_project_id, ContractRow.owner_basis_points, ContractRow.valid_from, ContractRow.valid_to,
    ContractRow.share_tiers, ContractRow.minimum_micro, ContractRow.fixed_micro, ContractRow.created_at,
    ContractRow.created_by, ContractRow.ended_by,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Month:
    """What is agreed for a whole month: the centre's part of what its charges come to, by volume tiers (each rate 0 to
    1); the least that it gets; and what capacity that was bought costs. Micro-units."""

    share_tiers: Tiers | None = None
    minimum_micro: int = 0
    fixed_micro: int = 0


@dataclass(frozen=True, slots=True)
class Lent:
    """Whose the nodes are, and their part of every charge there."""

    owner: ProjectId
    basis_points: int


@dataclass(frozen=True, slots=True)
class Contract:
    """It holds in [valid_from, valid_to); None: until it is ended. `queue` None: for all queues without a contract of
    their own. The owner of lent nodes has a part of its own, in its project's name."""

    id: ContractId
    centre: CentreName
    queue: str | None
    share_basis_points: int
    owner: ProjectId | None
    owner_basis_points: int
    valid_from: datetime
    valid_to: datetime | None
    month: Month = Month()
    agreed: Agreed = BEFORE

    def holds_at(self, when: datetime) -> bool:
        return holds(self.valid_from, self.valid_to, when)


async def add_contract(  # noqa: PLR0913  # what it says, and who says so
    session: AsyncSession,
    centre: CentreName,
    share_basis_points: int,
    *,
    person: str,
    now: datetime,
    valid_from: datetime,
    valid_to: datetime | None = None,
    queue: str | None = None,
    lent: Lent | None = None,
    month: Month = Month(),
) -> ContractId:
    """Conflict where another contract with the centre (about the same queue) holds at some of the same time."""
    owner, owner_basis_points = (lent.owner, lent.basis_points) if lent is not None else (None, 0)
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(
            "valid_to: it must be later than valid_from.", "valid_to：必须晚于 valid_from。", field="valid_to"
        )
    _check_shares(share_basis_points, owner, owner_basis_points)
    _check_month(month, owner_basis_points)
    row = ContractRow(
        id=new_uuid(), centre=centre, queue=queue, share_basis_points=share_basis_points, owner_project_id=owner,
        owner_basis_points=owner_basis_points, valid_from=valid_from, valid_to=valid_to,
        share_tiers=None if month.share_tiers is None else write_tiers(month.share_tiers),
        minimum_micro=month.minimum_micro, fixed_micro=month.fixed_micro, created_at=now, created_by=person,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        raise refused(error, _reasons(centre)) from error
    return ContractId(row.id)


def _reasons(centre: CentreName) -> dict[str, Refused]:
    return {
        "contracts_do_not_overlap": Conflict(
            f"{centre} has a contract for some of this time already; end that one first.",
            f"{centre} 在此时段已有合同；请先结束该合同。",
            field="valid_from",
        ),
        "fk_contracts_centre": no_centre(centre),
        "fk_contracts_owner_project_id": no_project("owner"),
    }


def _check_month(month: Month, owner_share: int) -> None:
    if month.minimum_micro < 0 or month.fixed_micro < 0:
        raise Invalid("minimum, fixed: nothing or more a month.", "minimum、fixed：每月金额不得为负。", field="minimum")
    tiers = month.share_tiers
    if tiers is not None and any(step.rate * WHOLE + owner_share > WHOLE for step in tiers.steps):
        raise Invalid(
            "share_tiers: a share is 0 to 1 (0.8 is 80 %), and with the owner's part at most 1 in each tier.",
            "share_tiers：分成为 0 到 1（0.8 即 80%），且每一档与节点所有者分成合计不超过 1。",
            field="share_tiers",
        )


def _check_shares(share: int, owner: ProjectId | None, owner_share: int) -> None:
    if not 0 <= share <= WHOLE:
        raise Invalid(
            "share_basis_points: 0 to 10000 (8000 is 80 %).",
            "share_basis_points：0 到 10000（8000 即 80%）。",
            field="share_basis_points",
        )
    if (owner is None) != (owner_share == 0) or not 0 <= owner_share <= WHOLE - share:
        raise Invalid(
            "owner_basis_points: who lends nodes has a part, and the shares come to at most 10000 (100 %).",
            "owner_basis_points：出借节点者须有分成，且各方分成合计不超过 10000（即 100%）。",
            field="owner_basis_points",
        )


async def end_contract(
    session: AsyncSession, centre: CentreName, at: datetime, *, person: str, now: datetime, queue: str | None = None
) -> None:
    """The centre's contract (or the queue's own) that holds at `at` ends then; `at` is not in the past. One that has
    not begun is withdrawn by an end at its beginning, and never holds. NotFound where none holds."""
    if at < now:
        raise Invalid("at: a contract ends now or later.", "at：结束时间不得早于现在。", field="at")
    agreed = [one for one in await contracts_of(session, [centre]) if one.queue == queue]
    ahead = (one for one in agreed if one.holds_at(at) and (one.valid_from < at or one.valid_from > now))
    holding = next(ahead, None)
    if holding is None:
        raise NotFound(
            f"No contract with {centre} holds then; one that has not begun is withdrawn at its very beginning.",
            f"{centre} 在该时间没有有效合同；尚未生效的合同须以其生效时间撤回。",
            field="at",
        )
    ended = {"valid_to": max(at, holding.valid_from), "ended_by": person}
    await session.execute(update(ContractRow).where(ContractRow.id == holding.id).values(ended))


async def contracts_of(session: AsyncSession, centres: Collection[CentreName] | None) -> list[Contract]:
    """By centre, queue and beginning; `centres` None: all there are, for the operator."""
    query = select(*COLUMNS).order_by(ContractRow.centre, ContractRow.queue.nulls_first(), ContractRow.valid_from)
    if centres is not None:
        query = query.where(ContractRow.centre.in_(list(centres)))
    rows = (await session.execute(query)).all()
    return [
        Contract(
            ContractId(row.id), CentreName(row.centre), row.queue, row.share_basis_points,
            None if row.owner_project_id is None else ProjectId(row.owner_project_id), row.owner_basis_points,
            row.valid_from, row.valid_to,
            Month(
                None if row.share_tiers is None else read_tiers(row.share_tiers), row.minimum_micro, row.fixed_micro
            ),
            Agreed(row.created_at, row.created_by, row.ended_by),
        )
        for row in rows
    ]  # fmt: skip
