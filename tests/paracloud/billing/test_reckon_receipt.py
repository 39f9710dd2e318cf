"""Whatever was charged, corrected and taken back: its receipt alone says how its amount comes about, and of other
projects nothing."""

import json
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World, charged, metered, record, sold, world
from tests.paracloud.billing.test_issue_receipts import file_of, issued
from tests.paracloud.billing.test_receipt import signed

from paracloud.billing.cover import Unit
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.end_package import end_package
from paracloud.billing.price import add_price
from paracloud.billing.rate import by_rate, graduated
from paracloud.billing.receipt import Verified, verify
from paracloud.billing.reckon_receipt import Off
from paracloud.billing.reverse import reverse
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.create_project import create_project
from paracloud.kit.identifiers import EntryId, OrganisationId, PriceVersionId, new_uuid

TIERS = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal("0.02"), Decimal("0.33")), Tier(Decimal(1), Decimal("0.1"))))


async def receipts(database, opened: World) -> tuple[Verified, list[dict]]:
    await issued(database, opened)
    lines = await file_of(database, opened)
    return verify(lines), [json.loads(line)["receipt"] for line in lines[1:-1]]


async def taken_back(database, reason: str = "x") -> None:
    async with database.begin() as session:
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges WHERE NOT is_reversal LIMIT 1"))
        await reverse(session, EntryId(entry), reason=reason, person="op", now=NOW)


async def priced(database, opened: World, queue: str, **changes) -> PriceVersionId:
    price = replace(opened.price, id=PriceVersionId(new_uuid()), **changes)
    async with database.begin() as session:
        await add_price(session, EAST, queue, price, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
    return price.id


async def test_a_receipt_says_what_packages_and_credits_paid_and_what_was_charged_before(database):
    opened = await world(database)
    package = await sold(database, opened, price="0.5", unit=Unit.CORE_SECOND, total=300)
    credit = await sold(database, opened, price="0", unit=Unit.MICRO, total=1000)
    await charged(database, await metered(database, opened, record("1")))
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=60)))
    async with database.begin() as session:
        await end_package(session, package.id, reason="x", person="op", now=NOW)
    await taken_back(database)
    found, (first, corrected, back) = await receipts(database, opened)
    assert (found.reckoned, found.off) == (3, {})
    assert (first["before"], [one["units"] for one in first["paid"]]) == (None, ["300", "1000"])
    assert {one["package"] for one in first["paid"]} == {str(package.id), str(credit.id)}
    assert corrected["before"]["amount_micro"] == first["amount_micro"]
    assert corrected["before"]["core_seconds"] == "300"
    assert back["package_micro"] == "0"
    assert [one["returned_micro"] for one in back["paid"] if one["unit"] != Unit.MICRO] == ["-400000"]


async def test_a_charge_that_a_person_decided_on_has_his_reason(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record("1"))
    await charged(database, [usage])
    await taken_back(database)
    async with database.begin() as session:
        await decide_usage(session, usage.id, opened.price.id, reason="as agreed", person="op", now=NOW)
    found, bodies = await receipts(database, opened)
    assert (found.reckoned, found.off) == (3, {})
    assert [(one["reason"], one["before"] is None) for one in bodies] == [
        (None, True),
        ("x", False),
        ("as agreed", True),
    ]


async def test_by_an_organisations_tiers_a_receipt_tells_nothing_of_its_other_projects(database):
    opened = await world(database)
    async with database.begin() as session:
        organisation = OrganisationId((await session.scalars(text("SELECT organisation_id FROM projects"))).one())
        other = await create_project(session, organisation, "other", now=NOW)
    await priced(database, opened, "cpu", organisation=organisation, tiers=TIERS)
    await charged(database, await metered(database, World(other, opened.price), record("1")))
    await charged(database, await metered(database, opened, record("2")))
    found, (mine,) = await receipts(database, opened)
    assert (found.reckoned, found.off) == (1, {})
    assert mine["tiered"] == [{"factor": "1", "list_micro": "6283"}, {"factor": "0.33", "list_micro": "7434"}]
    assert "volume_micro" not in mine


@pytest.mark.parametrize("queue", ["cpu", "ruled", "tiered"])
async def test_any_chain_of_corrections_can_be_reckoned_again(database, queue):
    opened = await world(database)
    rule = read_rule({"units": {"resource": "cores", "weight": "0.1"}, "free": ["nodes"], "free_states": ["failed"]})
    await priced(database, opened, "ruled", core_hour=Decimal(0), card_hour=Decimal(0), rule=rule)
    await priced(database, opened, "tiered", tiers=TIERS)
    await sold(database, opened, price="0.000777", unit=Unit.CORE_SECOND, total=3000)
    await sold(database, opened, price="0", unit=Unit.MICRO, total=100_000)
    for number, seconds in ((1, 900), (2, 5000), (1, 0), (2, 10), (1, 800), (2, 40_000)):
        run = record(str(number), queue=queue, elapsed_seconds=seconds, ended_at=NOW + timedelta(seconds=seconds))
        await charged(database, await metered(database, opened, run))
    await taken_back(database)
    found, bodies = await receipts(database, opened)
    assert (found.count, found.reckoned, found.off) == (7, 7, {})
    for name in ("amount_micro", "list_micro", "package_micro", "credit_micro"):
        wrong = [one | {name: str(int(one[name]) + 2)} for one in bodies]
        assert all(name in {off.field for off in offs} for offs in verify(signed(wrong)).off.values())
        assert len(verify(signed(wrong)).off) == 7


async def test_a_receipt_says_which_figures_nobody_told_and_is_reckoned_without_them(database):
    """As of Grid Engine, at a price that says nothing of nodes."""
    opened = await world(database)
    rule = read_rule({"units": {"resource": "cores", "weight": "0.36"}})
    await priced(database, opened, "gpu", core_hour=Decimal(0), card_hour=None, rule=rule)
    untold = frozenset({"qos", "nodes", "memory_bytes", "resources"})
    one = record("1", queue="gpu", nodes=1, unsaid=untold)
    assert await charged(database, await metered(database, opened, one)) == [40_000]
    found, (receipt,) = await receipts(database, opened)
    assert (found.reckoned, found.off) == (1, {})
    assert receipt["unsaid"] == ["memory_bytes", "nodes", "resources"]


async def test_a_receipt_whose_amount_is_another_is_named(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    _, (body,) = await receipts(database, opened)
    assert verify(signed([body | {"amount_micro": "13718"}])).off == {1: [Off("amount_micro", "13718", "13717")]}


MICRO = st.integers(-3_000_000, 3_000_000)


@given(before=MICRO, more=MICRO)
@settings(suppress_health_check=[HealthCheck.differing_executors])
def test_the_parts_of_a_list_amount_are_all_of_it_and_cost_what_it_costs(before, more):
    parts = by_rate(TIERS, before, more)
    assert sum(parts.values()) == more
    exact = sum((Fraction(rate) * micro for rate, micro in parts.items()), Fraction(0))
    assert abs(graduated(TIERS, before, more) - exact) <= 1
