"""Usage that waits for a person's word, and the word."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    World,
    charged,
    metered,
    record,
    world,
)

from paracloud.billing.close_period import close_period
from paracloud.billing.decide_usage import Decided, decide_usage
from paracloud.billing.period import begins
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.billing.unrated import unrated_page
from paracloud.kit.database import Database
from paracloud.kit.identifiers import EntryId, PriceVersionId, UsageId, new_uuid
from paracloud.metering.usage import Usage

JUNE = date(2026, 6, 1)
DAY = timedelta(days=1)
NO_NODES = {"units": {"resource": "cores", "weight": "0.1"}, "free": ["memory_bytes"]}


async def priced(database: Database, queue: str = "special", **changes: object) -> PriceVersionId:
    """A version of the same centre, of a core-hour at 0.5."""
    plain = Price(PriceVersionId(new_uuid()), "industry", Decimal("0.5"), Decimal(0), "CNY")
    wanted = replace(plain, **changes)  # type: ignore[arg-type]
    async with database.begin() as session:
        await add_price(session, EAST, queue, wanted, person="op", now=NOW, valid_from=NOW - DAY)
    return wanted.id


async def decided(database: Database, usage: UsageId, price: PriceVersionId | None, **changes: str) -> Decided:
    words = {"reason": "the node was slow", "person": "op"} | changes
    async with database.begin() as session:
        return await decide_usage(session, usage, price, now=NOW, **words)


async def taken_back(database: Database, usage: UsageId) -> None:
    query = "SELECT entry_id FROM charges WHERE usage_id = :usage AND NOT is_reversal ORDER BY revision DESC LIMIT 1"
    async with database.begin() as session:
        entry = (await session.execute(text(query), {"usage": usage})).scalar_one()
        await reverse(session, EntryId(entry), reason="wrong price", person="op", now=NOW, usage=usage)


async def waiting(database: Database) -> list[UsageId]:
    async with database.begin() as session:
        return [one.usage.id for one in await unrated_page(session)]


async def closed(database: Database) -> bool:
    async with database.begin() as session:
        return await close_period(session, JUNE, person="op", now=datetime(2026, 7, 2, tzinfo=UTC))


async def differences(database: Database, opened: World, *records) -> list[tuple[str, int]]:
    async with database.begin() as session:
        found = await reconcile(
            session, EAST, records, start=begins(JUNE), end=begins(JUNE) + DAY, lent=opened.lent,
            pinned={}, since=begins(JUNE),
        )  # fmt: skip
    assert found.mismatches or found.accounted_micro == found.charged_micro
    return [(one.cause.value, one.micro) for one in found.mismatches]


async def reversed_(database: Database, **changes: object) -> tuple[World, Usage]:
    """Usage of 400 core-seconds that was charged, and taken back whole."""
    opened = await world(database)
    (usage,) = await metered(database, opened, record(**changes))
    await charged(database, [usage])
    await taken_back(database, usage.id)
    return opened, usage
