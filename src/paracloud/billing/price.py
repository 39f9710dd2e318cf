"""Price versions of a centre's queue: which one holds when. An unknown queue has no price, and never means free."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from sqlalchemy import or_, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.rate import Price
from paracloud.billing.tables import PriceRow
from paracloud.kit.errors import Conflict, Invalid
from paracloud.kit.identifiers import CentreName, PriceVersionId

HIGHEST = Decimal(1_000_000)
DECIMALS = 9


async def add_price(
    session: AsyncSession,
    centre: CentreName,
    queue: str,
    price: Price,
    *,
    valid_from: datetime,
    valid_to: datetime | None = None,
) -> None:
    """Conflict where another version of the same product line, centre and queue holds at some of the same time."""
    _check("core_hour", price.core_hour)
    _check("card_hour", price.card_hour)
    if valid_to is not None and valid_to <= valid_from:
        raise Invalid(
            "valid_to: it must be later than valid_from.", "valid_to：必须晚于 valid_from。", field="valid_to"
        )
    row = PriceRow(
        id=price.id, product_line=price.product_line, centre=centre, queue=queue, core_hour=price.core_hour,
        card_hour=price.card_hour, currency=price.currency, valid_from=valid_from, valid_to=valid_to,
    )  # fmt: skip
    try:
        async with session.begin_nested():
            session.add(row)
            await session.flush()
    except IntegrityError as error:
        raise _conflict(error, centre, queue) from error


async def prices_at(session: AsyncSession, now: datetime) -> dict[tuple[CentreName, str], Price]:
    """Every price that holds now, by centre and queue: one query for a whole quote."""
    query = select(PriceRow).where(PriceRow.valid_from <= now, _open_at(now))
    rows = (await session.execute(query)).scalars()
    return {(CentreName(row.centre), row.queue): _price(row) for row in rows}


async def price_at(session: AsyncSession, centre: CentreName, queue: str, when: datetime) -> Price | None:
    query = select(PriceRow).where(
        PriceRow.centre == centre, PriceRow.queue == queue, PriceRow.valid_from <= when, _open_at(when)
    )
    row = (await session.execute(query.order_by(PriceRow.product_line).limit(1))).scalar_one_or_none()
    return None if row is None else _price(row)


async def prices_by_id(
    session: AsyncSession, ids: Iterable[PriceVersionId]
) -> dict[PriceVersionId, tuple[CentreName, str, Price]]:
    """Centre, queue and price of each version."""
    rows = (await session.execute(select(PriceRow).where(PriceRow.id.in_(list(ids))))).scalars()
    return {PriceVersionId(row.id): (CentreName(row.centre), row.queue, _price(row)) for row in rows}


def _open_at(when: datetime):  # type: ignore[no-untyped-def]  # noqa: ANN202  # an SQL expression, typed by SQLAlchemy
    return or_(PriceRow.valid_to.is_(None), PriceRow.valid_to > when)


def _check(field: str, value: Decimal) -> None:
    exponent = value.as_tuple().exponent
    if not value.is_finite() or not 0 <= value < HIGHEST or not isinstance(exponent, int) or exponent < -DECIMALS:
        raise Invalid(
            f"{field}: a price is 0 to {HIGHEST} with at most {DECIMALS} decimals.",
            f"{field}：价格为 0 到 {HIGHEST}，最多 {DECIMALS} 位小数。",
            field=field,
        )


def _conflict(error: IntegrityError, centre: str, queue: str) -> Conflict | Invalid:
    if "would hold at the same time" in str(error):
        return Conflict(
            f"{centre}/{queue} has a price for some of this time already; end that version first.",
            f"{centre}/{queue} 在此时段已有价格；请先结束该版本。",
            field="valid_from",
        )
    return Invalid(f"There is no centre {centre}.", f"超算中心 {centre} 不存在。", field="centre")


def _price(row: PriceRow) -> Price:
    return Price(PriceVersionId(row.id), row.product_line, row.core_hour, row.card_hour, row.currency)
