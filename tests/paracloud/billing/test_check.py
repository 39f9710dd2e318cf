"""Each rule of the daily check finds what it is about, once the guards of the database are lifted to plant it."""

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, charged, metered, record, sold, world

from paracloud.billing.check import RULES, check
from paracloud.billing.close_period import close_period
from paracloud.billing.cover import Place
from paracloud.billing.hold import hold
from paracloud.billing.period import month_of
from paracloud.billing.price import add_price
from paracloud.billing.rate import most
from paracloud.billing.tiers import Tier, Tiers
from paracloud.kit.database import Database
from paracloud.kit.identifiers import PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.settlement.state_settlements import state_settlements

DAY = timedelta(days=1)
TAKEN_BACK = (
    "INSERT INTO charges SELECT (jsonb_populate_record(NULL::charges, to_jsonb(one) || "
    """'{"is_reversal": true, "reason": "x", "person": "op"}')).* FROM charges AS one"""
)
"""And given once more."""
PLANTED = {
    "the postings of each currency sum to zero": "UPDATE ledger_postings SET micro = micro + 1 WHERE micro > 0",
    "every entry sums to zero": "UPDATE ledger_postings SET micro = micro + 1 WHERE micro > 0",
    "every entry has postings": "INSERT INTO ledger_entries (id, key, kind, created_at) "
    "VALUES (gen_random_uuid(), 'x', 'top-up', now())",
    "a balance is the sum of its postings": "UPDATE ledger_accounts SET balance_micro = 1 WHERE code LIKE 'wallet:%'",
    "what is held equals the open holds": "UPDATE holds SET released_at = now()",
    "a hold is what was posted to it": "UPDATE holds SET amount_micro = amount_micro + 1, "
    "ceiling_micro = ceiling_micro + 1",
    "what a hold gave equals the postings of its charges": "UPDATE holds SET captured_micro = captured_micro + 1 "
    "WHERE reference = 'job-1'",
    "every usage revision has its evidence": "DELETE FROM usage_revisions",
    "every usage is charged, listed as unrated, or costs nothing by a person's word": "DELETE FROM charges",
    "what a person decided on is charged at that price, or not at all": "INSERT INTO usage_decisions "
    "SELECT usage_id, revision, NULL, false, 'x', 'op', now() FROM charges LIMIT 1",
    "every charge stands in the ledger": "UPDATE charges SET entry_id = NULL",
    "the entry of a charge posts what the charge says": "UPDATE charges SET share_micro = share_micro + 1",
    "what a charge gives the centre and the lender is what its contract says": "UPDATE charges SET owner_micro = 1",
    "a lender's part is posted to whom the contract names": "UPDATE charges SET owner_micro = 1",
    "every charging entry has its charge": "DELETE FROM charges",
    "what a charge costs is paid by its own project": "UPDATE charges SET project_id = gen_random_uuid()",
    "a charge is of the project that used it": "UPDATE charges SET project_id = gen_random_uuid()",
    "a charge falls into the month that its usage ended in, or the first that was open": "UPDATE charges "
    "SET period = '2026-09-01'",
    "a reversal takes back what was charged, and nothing else": TAKEN_BACK,
    "a reversal gives packages and credits back what they gave": TAKEN_BACK,
    "a package has given what its uses say": "UPDATE packages SET used = used - 1",
    "what is reserved of a package waits for open holds": "UPDATE package_reservations SET units = units + 1",
    "a package's account holds what it has not given yet": "UPDATE packages SET price_micro = price_micro + 1",
    "what packages and credits gave is what the charges say": "UPDATE package_uses SET micro = micro + 1",
    "what a settlement says of its month is what its charges say": "UPDATE settlements SET share_micro = 1",
    "a settlement is the sum of its contracts": "UPDATE settlement_contracts SET gross_micro = gross_micro + 1",
    "what a settlement adds and pays stands in the ledger": "UPDATE settlements SET fixed_micro = fixed_micro + 1",
    "packages give a usage no more than it used": "UPDATE package_uses SET units = units + 1000",
    "a charge at a price with tiers begins where its month's volume was": "UPDATE charges "
    "SET volume_micro = volume_micro + 1",
    "the volume of a month is the sum of its charges": "UPDATE volumes SET list_micro = list_micro + 1",
}
TIERS = Tiers((Tier(Decimal(0), Decimal(1)),))


@pytest.mark.parametrize("rule", RULES)
async def test_the_daily_check_names_what_is_wrong(database: Database, owned: Database, rule: str) -> None:
    """The guards are lifted to plant each fault: the check looks behind them."""
    opened = await world(database)
    await sold(database, opened, hours=1, price="1")
    tiered = replace(opened.price, id=PriceVersionId(new_uuid()), tiers=TIERS)
    most_of = most({"cores": 1, "gpus": 0}, timedelta(minutes=2), timedelta(0), tiered)
    async with database.begin() as session:
        await add_price(session, EAST, "big", tiered, person="op", now=NOW, valid_from=NOW)
        await hold(session, opened.project, "job-1", Money.parse("1"), now=NOW)
        place = Place("general", EAST, "cpu")
        await hold(session, opened.project, "job-2", most_of.amount, now=NOW, most=most_of, place=place)
    usages = await metered(database, opened, record(), job="job-1")
    usages += await metered(database, opened, record("8", cores=100), record("9", queue="big"))
    await charged(database, usages, {"job-1": opened.price.id})
    async with database.begin() as session:
        await close_period(session, month_of(NOW), person="op", now=NOW + 40 * DAY)
        assert await state_settlements(session, month_of(NOW), person="op", now=NOW + 40 * DAY)
    async with owned.begin() as session:
        assert await check(session) == []
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text(PLANTED[rule]))
        assert rule in {difference.what for difference in await check(session)}
