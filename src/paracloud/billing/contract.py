"""Co-construction contracts: which share of a charge a centre gets."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.tables import ContractRow
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import CentreName, new_uuid


@dataclass(frozen=True, slots=True)
class Contract:
    """It holds in [valid_from, valid_to); None: until it is ended."""

    centre: CentreName
    share_basis_points: int
    valid_from: datetime
    valid_to: datetime | None

    def holds_at(self, when: datetime) -> bool:
        return self.valid_from <= when and (self.valid_to is None or when < self.valid_to)


async def add_contract(
    session: AsyncSession,
    centre: CentreName,
    share_basis_points: int,
    *,
    valid_from: datetime,
    valid_to: datetime | None = None,
) -> None:
    """Conflict where another contract with the centre holds at some of the same time."""
    if not 0 <= share_basis_points <= 10_000:
        raise Invalid(
            "share_basis_points: 0 to 10000 (8000 is 80 %).",
            "share_basis_points：0 到 10000（8000 即 80%）。",
            field="share_basis_points",
        )
    row = ContractRow(
        id=new_uuid(), centre=centre, share_basis_points=share_basis_points, valid_from=valid_from, valid_to=valid_to
    )
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        if "would hold at the same time" in str(error):
            raise Conflict(
                f"{centre} has a contract for some of this time already; end that one first.",
                f"{centre} 在此时段已有合同；请先结束该合同。",
                field="valid_from",
            ) from error
        raise Invalid(
            "There is no such centre, or the validity ends before it begins.", "超算中心不存在，或有效期不正确。"
        ) from error


async def end_contract(session: AsyncSession, centre: CentreName, at: datetime, *, now: datetime) -> None:
    """The contract that holds at `at` ends then; `at` is not in the past. NotFound where none holds."""
    if at < now:
        raise Invalid("at: a contract ends now or later.", "at：结束时间不得早于现在。", field="at")
    holding = next(
        (one for one in await contracts_of(session, [centre]) if one.valid_from < at and one.holds_at(at)), None
    )
    if holding is None:
        raise NotFound(f"No contract with {centre} holds then.", f"{centre} 在该时间没有有效合同。", field="at")
    statement = update(ContractRow).where(ContractRow.centre == centre, ContractRow.valid_from == holding.valid_from)
    await session.execute(statement.values(valid_to=at))


async def contracts_of(session: AsyncSession, centres: Collection[CentreName]) -> list[Contract]:
    columns = (ContractRow.centre, ContractRow.share_basis_points, ContractRow.valid_from, ContractRow.valid_to)
    rows = (await session.execute(select(*columns).where(ContractRow.centre.in_(list(centres))))).all()
    return [Contract(CentreName(centre), share, start, end) for centre, share, start, end in rows]
