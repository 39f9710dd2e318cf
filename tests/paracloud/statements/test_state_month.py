"""A statement is the month's charges, summed, and the month's account, which comes out."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from tests.paracloud.billing.builders import CORE_HOUR, EAST, NOW, World, charged, metered, record, world
from tests.paracloud.statements.month import JUNE, LATER, full_month, payer_in, stated

from paracloud.billing.charge import charge
from paracloud.billing.close_period import close_period
from paracloud.billing.entry import Entry, wallet
from paracloud.billing.post import post
from paracloud.billing.price import add_price
from paracloud.billing.rule_text import read_rule
from paracloud.billing.top_up import top_up
from paracloud.identity.caller import Caller, Role, Scope
from paracloud.identity.create_project import create_project
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import PriceVersionId, TokenId, UserId, new_uuid
from paracloud.kit.money import Money
from paracloud.statements.payers import any_payer, payer_of
from paracloud.statements.state_month import lines_of, state_month
from paracloud.statements.statement import CORRECTION, REVERSAL, USAGE, PayerKind, Sums, UnitPrices, total


async def test_every_charge_is_a_line_once_and_all_sums_are_of_the_lines(database):
    month = await full_month(database)
    statement, lines = await stated(database, await payer_in(database, month, is_whole=True))
    assert [(one.record, one.kind, one.sums.core_seconds, one.sums.amount) for one in lines] == [
        ("7", USAGE, 7200, 1_023_457),
        ("7", CORRECTION, -400, -13_718),
        ("8", USAGE, 0, 2_000_000),
        ("9", USAGE, 400, 13_717),
        ("10", USAGE, 800, 27_435),
        ("10", REVERSAL, -800, -27_435),
    ]
    whole = Sums(4, 7200, 3600, 2_123_456, 3_023_456, 900_000, 20_000)
    assert total(one.sums for one in lines) == statement.total == total(one.sums for one in statement.by_user) == whole
    assert whole.wallet == 2_103_456


async def test_a_place_has_the_least_and_the_most_of_its_unit_prices(database):
    opened = await world(database)
    dearer, ruled = (replace(opened.price, id=PriceVersionId(new_uuid())) for _ in range(2))
    dearer = replace(dearer, core_hour=Decimal("0.2"), project=opened.project)
    rule = read_rule({"units": {"resource": "nodes"}, "free": ["cores"]})
    async with database.begin() as session:
        await add_price(session, EAST, "cpu", dearer, person="op", now=NOW, valid_from=LATER)
        plain = replace(ruled, core_hour=Decimal(0), card_hour=Decimal(0), rule=rule)
        await add_price(session, EAST, "nodes", plain, person="op", now=NOW, valid_from=NOW - timedelta(days=1))
    await charged(database, await metered(database, opened, record("1"), job="job-1"), {"job-1": dearer.id})
    for one in (record("2"), record("3", queue="nodes")):
        await charged(database, await metered(database, opened, one))
    async with database.begin() as session:
        payer = await any_payer(session, PayerKind.PROJECT, opened.project)
    statement, _ = await stated(database, payer)
    assert {one.queue: one.prices for one in statement.used} == {
        "cpu": UnitPrices((CORE_HOUR, Decimal("0.2")), (Decimal(2), Decimal(2)), has_rule=False),
        "nodes": UnitPrices(None, None, has_rule=True),
    }


async def test_the_account_comes_out_and_is_what_the_ledger_has(database):
    month = await full_month(database)
    statement, _ = await stated(database, await payer_in(database, month, is_whole=True))
    moved = [(one.kind, one.micro, one.is_cost) for one in statement.movements]
    assert moved == [
        ("top-up", 100_000_000, False),
        ("top-up", 50_000_000, False),
        ("package", -900_000, True),
        ("package", -7_000_000, True),
        ("dedicated", -12_000_000, True),
    ]
    assert statement.charged == -statement.total.wallet
    assert statement.opening + sum(one.micro for one in statement.movements) + statement.charged == statement.closing
    assert [(one.units, one.micro) for one in statement.expired] == [(36_000, 7_000_000)]


async def test_a_project_sees_its_own_alone(database):
    month = await full_month(database)
    statement, lines = await stated(database, await payer_in(database, month, is_whole=False))
    assert {one.project for one in (*lines, *statement.movements, *statement.expired)} == {month.world.project}
    assert (statement.total.jobs, statement.total.amount) == (2, 3_009_739)


async def test_a_month_that_is_closed_stays_as_it_was_stated(database):
    month = await full_month(database)
    payer = await payer_in(database, month, is_whole=True)
    july = datetime(2026, 7, 2, tzinfo=UTC)
    async with database.begin() as session:
        assert await close_period(session, JUNE, person="op", now=july)
    before = await stated(database, payer, july)
    late = record("9", elapsed_seconds=50, ended_at=NOW + timedelta(seconds=50))
    usages = await metered(database, World(month.other, month.world.price), late)
    async with database.begin() as session:
        await charge(session, usages, pinned={}, now=july)
        await top_up(session, month.other, Money.parse("1"), key="july", person="op", now=july)
    assert await stated(database, payer, july) == before
    assert before[0].is_final
    async with database.begin() as session:
        after = await state_month(session, payer, date(2026, 7, 1), now=july)
    assert (after.opening, after.total.core_seconds, after.is_final) == (before[0].closing, -200, False)


async def test_pages_of_lines_leave_none_out(database, monkeypatch):
    month = await full_month(database)
    payer = await payer_in(database, month, is_whole=True)
    _, lines = await stated(database, payer)
    for size, pages in ((1, [1] * 6), (4, [4, 2]), (6, [6])):
        monkeypatch.setattr("paracloud.statements.store.PAGE", size)
        async with database.begin() as session:
            found = [page async for page in lines_of(session, payer, JUNE)]
        assert [len(page) for page in found] == pages
        assert [line for page in found for line in page] == lines


async def test_a_month_that_has_not_begun_and_money_in_two_currencies_are_refused(database):
    month = await full_month(database)
    payer = await payer_in(database, month, is_whole=True)
    async with database.begin() as session:
        for period in (date(2026, 7, 1), date(1999, 12, 1)):
            with pytest.raises(Invalid, match="month"):
                await state_month(session, payer, period, now=LATER)
        third = await create_project(session, month.organisation, "dollars", now=NOW)
        dollars = {wallet(third): -1_000_000, "revenue:gifts": 1_000_000}
        await post(session, [Entry("usd", "top-up", "USD", dollars)], now=NOW)
        with pytest.raises(Conflict, match="CNY, USD"):
            await state_month(session, replace(payer, projects={**payer.projects, third: "dollars"}), JUNE, now=LATER)


async def test_an_organisation_is_seen_by_who_is_in_all_of_it(database):
    opened = await world(database)
    both = PayerKind.PROJECT, PayerKind.ORGANISATION
    async with database.begin() as session:
        organisation = (await any_payer(session, PayerKind.PROJECT, opened.project)).organisation_id
        one = caller_of(opened.project)
        assert (await payer_of(session, one, PayerKind.ORGANISATION, organisation)).projects == {opened.project: "熔体"}
        assert (await payer_of(session, one, PayerKind.PROJECT, opened.project)).id == opened.project
        second = await create_project(session, organisation, "second", now=NOW)
        for stranger in (one, caller_of(second), caller_of()):
            with pytest.raises(NotFound):
                await payer_of(session, stranger, PayerKind.ORGANISATION, organisation)
        with pytest.raises(NotFound):
            await payer_of(session, one, PayerKind.PROJECT, second)
        whole = await payer_of(session, caller_of(opened.project, second), PayerKind.ORGANISATION, organisation)
        assert whole == await any_payer(session, PayerKind.ORGANISATION, organisation)
        assert sorted(whole.projects.values()) == ["second", "熔体"]
        for kind in both:
            with pytest.raises(NotFound):
                await any_payer(session, kind, new_uuid())


def caller_of(*projects) -> Caller:
    roles = dict.fromkeys(projects, Role.VIEWER)
    return Caller(UserId(new_uuid()), TokenId(new_uuid()), "lin", False, frozenset({Scope.READ}), roles)
