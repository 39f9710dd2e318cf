"""Co-construction contracts: which share of a charge a centre gets."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.tables import ContractRow
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import CentreName, new_uuid


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


async def shares_at(session: AsyncSession, centres: Iterable[CentreName], when: datetime) -> dict[CentreName, int]:
    """Basis points by centre; a centre without a contract at that time is absent."""
    query = select(ContractRow.centre, ContractRow.share_basis_points).where(
        ContractRow.centre.in_(list(centres)),
        ContractRow.valid_from <= when,
        or_(ContractRow.valid_to.is_(None), ContractRow.valid_to > when),
    )
    return {CentreName(centre): share for centre, share in (await session.execute(query)).all()}
