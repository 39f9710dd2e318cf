"""Postpaid with a credit line, budgets, dedicated nodes, and closing a month."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import EAST, NOW, World, charged, left, metered, record, sound, world

from paracloud.billing import store
from paracloud.billing.budget import Budget, all_budgets, budgets_of, end_budget, set_budget, spent_of
from paracloud.billing.close_period import close_period
from paracloud.billing.dedication import Dedication, dedicate, dedications_of, end_dedication, new_dedication_id
from paracloud.billing.entry import DEDICATED, Entry, payable, wallet
from paracloud.billing.fee import fee, fee_key
from paracloud.billing.funding import Changes, Funding, change_funding, funding_of, set_funding
from paracloud.billing.hold import hold, release
from paracloud.billing.notices import notices_of, operators_notices
from paracloud.billing.period import is_closed, month_of
from paracloud.billing.periods import periods
from paracloud.billing.post import post
from paracloud.billing.post_fees import pay_first_fee, post_fees
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.reverse import reverse
from paracloud.billing.top_up import top_up
from paracloud.billing.unrated import unrated_page
from paracloud.billing.within_budgets import OverBudget
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Role
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.identity.product_line import ProductLine
from paracloud.kit.errors import Conflict, Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import BudgetId, CentreName, EntryId, OrganisationId, PriceVersionId, ProjectId, new_uuid
from paracloud.kit.money import Money

DAY = timedelta(days=1)
JUNE, JULY_1 = date(2026, 6, 1), date(2026, 7, 1)
JULY = datetime(2026, 7, 1, 1, tzinfo=UTC)


async def held(database, opened: World, job: str, amount: str) -> Money:
    async with database.begin() as session:
        return await hold(session, opened.project, job, Money.parse(amount), now=NOW)


async def funded(database, opened: World, **changes) -> None:
    async with database.begin() as session:
        await set_funding(session, opened.project, Funding(**changes))


async def organisation_of(database, opened: World) -> OrganisationId:
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects WHERE id = :id")
        return OrganisationId((await session.execute(query, {"id": opened.project})).scalar_one())


def budget(opened: World, limit: str, **changes) -> Budget:
    plain = Budget(
        id=BudgetId(new_uuid()), organisation=None, project=opened.project, user=None, amount=Money.parse(limit),
        is_monthly=False, is_hard=True, warn_percent=(80, 100), valid_from=NOW - DAY, valid_to=None,
    )  # fmt: skip
    return replace(plain, **changes)


async def budgeted(database, wanted: Budget) -> Budget:
    async with database.begin() as session:
        await set_budget(session, wanted, person="op", now=NOW)
    return wanted


async def spent(database, wanted: Budget, when: datetime = NOW) -> int:
    async with database.begin() as session:
        return (await spent_of(session, [wanted], when))[wanted.id].micro


async def test_a_credit_line_is_how_far_below_nothing_a_wallet_may_go(database):
    opened = await world(database, "5")
    await funded(database, opened, line=Money.parse("10"))
    await held(database, opened, "job-1", "12")
    assert await left(database, opened) == -7_000_000
    with pytest.raises(NotEnoughFunds, match=r"3\.000000 is available: 0\.000001"):
        await held(database, opened, "job-2", "3.000001")
    await held(database, opened, "job-2", "3")
    await sound(database)


async def test_what_is_agreed_of_funding_comes_back_as_itself(database):
    opened = await world(database)
    levels = (Money.parse("20"), Money.parse("5"))
    wanted = Funding(Money.parse("10"), timedelta(hours=1), levels, "TERM", timedelta(minutes=5))
    async with database.begin() as session:
        assert await funding_of(session, opened.project) == Funding()
        await set_funding(session, opened.project, wanted)
        assert await funding_of(session, opened.project) == wanted


async def test_two_changes_of_funding_at_once_undo_nothing_of_each_other(database):
    opened = await world(database)

    async def changed(**changes) -> None:
        async with database.begin() as session:
            await change_funding(session, opened.project, Changes(**changes))

    for number in range(5):
        line, grace = Money(number), timedelta(seconds=number)
        await asyncio.gather(changed(line=line), changed(grace=grace), changed(signal="TERM"))
        async with database.begin() as session:
            assert await funding_of(session, opened.project) == Funding(line=line, grace=grace, signal="TERM")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"line": Money(-1)}, "line"),
        ({"hold": timedelta(seconds=59)}, "hold"),
        ({"signal": "KILL"}, "signal"),
        ({"grace": timedelta(days=2)}, "grace"),
        ({"warnings": (Money(5, "USD"),)}, "warnings"),
        ({"warnings": (Money(0), Money(-1))}, "warnings"),
    ],
)
async def test_funding_that_cannot_be_meant_is_refused(database, wrong, field):
    opened = await world(database)
    with pytest.raises(Invalid) as refused:
        await funded(database, opened, **wrong)
    assert refused.value.field == field


async def test_a_hard_budget_refuses_what_could_exceed_it_and_counts_charges_and_holds(database):
    opened = await world(database)
    wanted = await budgeted(database, budget(opened, "1"))
    await charged(database, await metered(database, opened, record("1")))
    await held(database, opened, "job-1", "0.5")
    assert await spent(database, wanted) == 513_717
    with pytest.raises(NotEnoughFunds, match=r"project's budget of 1\.000000 CNY has 0\.486283 left"):
        await held(database, opened, "job-2", "0.486284")
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
    await held(database, opened, "job-2", "0.486284")


async def test_what_an_organisation_has_left_is_not_said_and_a_users_own_is(database):
    opened = await world(database)
    organisation = await organisation_of(database, opened)
    async with database.begin() as session:
        lin = await create_user(session, "lin", now=NOW)
        await add_member(session, "lin", opened.project, Role.MEMBER)
    whole = await budgeted(database, budget(opened, "10.7", project=None, organisation=organisation))
    with pytest.raises(OverBudget, match="The organisation's budget does not allow it") as refused:
        await held(database, opened, "job-1", "12")
    assert (refused.value.missing_micro, refused.value.is_for_all) == (None, False)
    assert not any(figure in refused.value.en + refused.value.zh for figure in ("10.7", "1.3"))
    async with database.begin() as session:
        await end_budget(session, whole.id, person="op", now=NOW)
    await budgeted(database, budget(opened, "10.7", user=lin))
    async with database.begin() as session:
        with pytest.raises(OverBudget, match=r"user's budget of 10\.700000 CNY has 10\.700000 left") as refused:
            await hold(session, opened.project, "job-1", Money.parse("12"), now=NOW, user=lin)
    assert (refused.value.missing_micro, refused.value.is_for_all) == (1_300_000, False)


async def test_a_soft_budget_refuses_nothing(database):
    opened = await world(database)
    await budgeted(database, budget(opened, "1", is_hard=False))
    await held(database, opened, "job-1", "2")


async def test_an_organisations_budget_counts_all_its_projects_also_at_one_moment(database):
    opened = await world(database)
    organisation = await organisation_of(database, opened)
    wanted = await budgeted(database, budget(opened, "10", project=None, organisation=organisation))
    async with database.begin() as session:
        other = await create_project(session, organisation, "邻组", now=NOW)
    await funded(database, replace(opened, project=other), line=Money.parse("100"))
    both = [replace(opened, project=of) for of in (opened.project, other)]
    tries = [held(database, both[number % 2], f"job-{number}", "4") for number in range(6)]
    outcomes = await asyncio.gather(*tries, return_exceptions=True)
    assert sum(isinstance(one, Money) for one in outcomes) == 2
    assert sum(isinstance(one, NotEnoughFunds) for one in outcomes) == 4
    assert await spent(database, wanted) == 8_000_000


async def test_a_monthly_budget_begins_anew_and_an_ended_one_holds_no_more(database):
    opened = await world(database)
    wanted = await budgeted(database, budget(opened, "1", is_monthly=True))
    await charged(database, await metered(database, opened, record("1")))
    assert await spent(database, wanted) == 13_717
    assert await spent(database, wanted, JULY) == 0
    async with database.begin() as session:
        made = replace(wanted, created_at=NOW, created_by="op")
        assert await budgets_of(session, [opened.project], NOW) == [made]
        await end_budget(session, wanted.id, person="op", now=NOW)
        assert await budgets_of(session, [opened.project], NOW + DAY) == []
        with pytest.raises(NotFound):
            await end_budget(session, wanted.id, person="op", now=NOW + DAY)
    await held(database, opened, "job-1", "2")


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE budgets SET created_by = 'nobody'",
        "UPDATE budgets SET created_at = now()",
        "UPDATE budgets SET is_owners = true",
        "UPDATE budgets SET user_id = NULL",
    ],
)
async def test_the_database_keeps_who_set_a_budget_and_whose_it_is(database, owned, forgery):
    opened = await world(database)
    async with database.begin() as session:
        lin = await create_user(session, "lin", now=NOW)
        await add_member(session, "lin", opened.project, Role.MEMBER)
    await budgeted(database, budget(opened, "1", user=lin))
    with pytest.raises(DBAPIError, match="keeps what was agreed"):
        async with owned.begin() as session:
            await session.execute(text(forgery))


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"project": None}, "project"),
        ({"amount": Money(-1)}, "amount"),
        ({"valid_to": NOW - 2 * DAY}, "valid_to"),
        ({"warn_percent": (101,)}, "warn_percent"),
        ({"project": ProjectId(new_uuid())}, "project"),
    ],
)
async def test_a_budget_that_cannot_be_meant_is_refused(database, wrong, field):
    opened = await world(database)
    with pytest.raises(Invalid) as refused:
        await budgeted(database, budget(opened, "1", **wrong))
    assert refused.value.field == field


def nodes(opened: World, **changes) -> Dedication:
    plain = Dedication(
        new_dedication_id(),
        opened.project,
        EAST,
        "cpu",
        2,
        Money.parse("30"),
        6000,
        datetime(2026, 6, 1, tzinfo=UTC),
        None,
    )
    return replace(plain, **changes)


async def dedicated(database, wanted: Dedication) -> Dedication:
    async with database.begin() as session:
        await dedicate(session, wanted, person="op", now=NOW, is_unseen=True)
    return wanted


async def fees(database, month: date = JUNE, now: datetime = NOW) -> list[Dedication]:
    async with database.begin() as session:
        return await post_fees(session, month, now=now)


async def test_dedicated_nodes_cost_their_fee_once_a_month_and_what_runs_there_nothing(database):
    opened = await world(database)
    wanted = await dedicated(database, nodes(opened))
    assert await fees(database) == await fees(database) == []
    assert await left(database, opened) == 70_000_000
    assert await charged(database, await metered(database, opened, record("1"))) == [0]
    async with database.begin() as session:
        assert [await store.balance(session, code) for code in (payable(EAST), DEDICATED)] == [18_000_000, 12_000_000]
        (row,) = (await session.execute(text("SELECT dedication_id, list_micro FROM charges"))).all()
    assert tuple(row) == (wanted.id, 0)
    await sound(database)


async def test_what_has_more_nodes_than_are_dedicated_has_its_ordinary_price(database):
    opened = await world(database)
    await dedicated(database, nodes(opened))
    runs = [record("1", nodes=2), record("2", nodes=3), record("3", nodes=500)]
    assert await charged(database, await metered(database, opened, *runs)) == [0, 13_717, 13_717]
    await sound(database)


async def test_a_part_of_a_month_costs_its_part(database):
    opened = await world(database)
    assert fee(nodes(opened, valid_from=datetime(2026, 6, 16, tzinfo=UTC)), JUNE) == 15_000_000
    assert fee(nodes(opened, valid_to=datetime(2026, 6, 11, tzinfo=UTC)), JUNE) == 10_000_000
    assert fee(nodes(opened, valid_from=datetime(2026, 7, 1, tzinfo=UTC)), JUNE) == 0
    assert fee(nodes(opened, valid_to=datetime(2026, 6, 1, tzinfo=UTC) + timedelta(microseconds=1)), JUNE) == 0


async def test_nodes_that_cannot_be_paid_for_are_the_customers_no_longer(database):
    opened = await world(database, "40")
    both = [await dedicated(database, nodes(opened)), await dedicated(database, nodes(opened, queue="gpu"))]
    (lapsed,) = await fees(database)
    assert await left(database, opened) == 10_000_000
    async with database.begin() as session:
        ends = {one.id: one.valid_to for one in await dedications_of(session, [opened.project])}
    paid = next(one for one in both if one.id != lapsed.id)
    assert ends[paid.id] is None
    assert ends[lapsed.id] == lapsed.valid_from
    assert await fees(database) == []
    async with database.begin() as session:
        for told in (await notices_of(session, opened.project), await operators_notices(session)):
            ((_, one),) = told
            assert (one.kind, one.reference, one.amount) == ("dedication-lapsed", str(lapsed.id), Money(30_000_000))
    await sound(database)


async def test_whoever_has_paid_the_months_fees_waits_for_nobody(database):
    opened = await world(database)
    await dedicated(database, nodes(opened))
    await fees(database)
    async with database.begin() as busy:
        await store.locked(busy, {wallet(opened.project): "CNY", payable(EAST): "CNY", DEDICATED: "CNY"})
        async with asyncio.timeout(5):
            assert await fees(database) == []


async def test_many_who_post_one_fee_at_once_post_it_once_and_nobody_loses_the_nodes(database):
    opened = await world(database, "40")
    await dedicated(database, nodes(opened))
    assert await asyncio.gather(*(fees(database) for _ in range(6))) == [[]] * 6
    assert await left(database, opened) == 10_000_000
    await sound(database)


async def test_nodes_that_lapse_while_another_waits_to_post_their_fee_cost_none(database, owned):
    opened = await world(database, "0")
    await dedicated(database, nodes(opened))
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    async with database.begin() as first:
        await store.locked(first, {wallet(opened.project): "CNY"})
        second = asyncio.create_task(fees(database))
        async with asyncio.timeout(30), owned.engine.connect() as watching:
            while not (await watching.execute(waiting)).scalar_one():
                assert not second.done()
                await watching.rollback()
        assert await post_fees(first, JUNE, now=NOW)
        await top_up(first, opened.project, Money.parse("40"), key="late", person="op", now=NOW)
    assert await second == []
    assert await left(database, opened) == 40_000_000
    await sound(database)


async def test_the_same_nodes_are_not_dedicated_twice_and_an_end_is_not_in_the_past(database):
    opened = await world(database)
    wanted = await dedicated(database, nodes(opened))
    async with database.begin() as session:
        (organisation,) = await session.scalars(text("SELECT organisation_id FROM projects"))
        other = await create_project(session, OrganisationId(organisation), "另一课题", now=NOW)
    for project in (opened.project, other):
        with pytest.raises(Conflict, match="dedicated for some of this time"):
            await dedicated(database, nodes(opened, project=project))
    for wrong in ({"nodes": 0}, {"monthly": Money(-1)}, {"share_basis_points": 10_001}, {"centre": CentreName("x")},
                  {"valid_to": datetime(2026, 5, 1, tzinfo=UTC)}):  # fmt: skip
        with pytest.raises(Invalid):
            await dedicated(database, nodes(opened, queue="big", **wrong))
    async with database.begin() as session:
        with pytest.raises(Invalid):
            await end_dedication(session, wanted.id, NOW - DAY, person="op", now=NOW)
        with pytest.raises(NotFound):
            await end_dedication(session, new_dedication_id(), NOW, person="op", now=NOW)
        await end_dedication(session, wanted.id, NOW + DAY, person="op", now=NOW)
    later = NOW + 2 * DAY
    run = record("1", started_at=later, ended_at=later + timedelta(seconds=100))
    after = await metered(database, opened, run)
    assert await charged(database, after) == [13_717]


async def test_of_two_customers_who_are_promised_one_queue_at_once_one_has_it(database):
    opened = await world(database)
    async with database.begin() as session:
        (organisation,) = await session.scalars(text("SELECT organisation_id FROM projects"))
        other = await create_project(session, OrganisationId(organisation), "另一课题", now=NOW)
    wanted = [dedicated(database, nodes(opened, project=one)) for one in (opened.project, other)]
    done = await asyncio.gather(*wanted, return_exceptions=True)
    assert {type(one) for one in done} == {Conflict, Dedication}
    (first,) = [one for one in done if isinstance(one, Dedication)]
    async with database.begin() as session:
        await end_dedication(session, first.id, NOW + DAY, person="op", now=NOW)
    await dedicated(database, nodes(opened, project=other, valid_from=NOW + DAY))


async def test_dedicated_nodes_and_budgets_that_have_not_begun_are_withdrawn(database):
    opened = await world(database)
    later = await dedicated(database, nodes(opened, valid_from=NOW + 10 * DAY))
    limit = budget(opened, "1", valid_from=NOW + 10 * DAY)
    await budgeted(database, limit)
    async with database.begin() as session:
        await end_dedication(session, later.id, NOW, person="op", now=NOW)
        await end_budget(session, limit.id, person="op", now=NOW)
        with pytest.raises(NotFound):
            await end_budget(session, limit.id, person="op", now=NOW)
        (one,), (other,) = await dedications_of(session, None), await all_budgets(session)
        assert (one.valid_to, other.valid_to, other.ended_by) == (one.valid_from, other.valid_from, "op")
        assert await budgets_of(session, [opened.project], NOW + 11 * DAY) == []
    await dedicated(database, nodes(opened, valid_from=NOW))
    assert await fees(database, JULY_1, JULY) == []


async def test_nodes_from_an_earlier_month_on_are_paid_from_there_at_once_or_there_are_none(database):
    opened = await world(database, "50")
    wanted = nodes(opened, valid_from=datetime(2026, 6, 16, tzinfo=UTC))

    async def agreed(monthly: str) -> None:
        async with database.begin() as session:
            one = replace(wanted, id=new_dedication_id(), monthly=Money.parse(monthly))
            await dedicate(session, one, person="op", now=JULY, is_unseen=True)
            await pay_first_fee(session, one, now=JULY)

    with pytest.raises(NotEnoughFunds, match=r"60\.000000 CNY .* top up 10\.000000 first"):
        await agreed("40")
    assert await left(database, opened) == 50_000_000
    await agreed("30")
    assert await left(database, opened) == 5_000_000
    assert await closed(database)
    async with database.begin() as session:
        assert [one.valid_to for one in await dedications_of(session, None)] == [None]
    assert await left(database, opened) == 5_000_000
    await sound(database)


async def test_nodes_do_not_begin_in_a_closed_month_or_where_something_ran_at_its_price_since(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    with pytest.raises(Conflict, match="ran in this queue since then"):
        await dedicated(database, nodes(opened))
    await closed(database)
    with pytest.raises(Invalid, match="2026-06 is closed"):
        async with database.begin() as session:
            await dedicate(session, nodes(opened, queue="own"), person="op", now=JULY, is_unseen=True)


async def test_fees_of_months_that_nobody_asked_for_are_posted_the_oldest_first(database):
    opened = await world(database, "70")
    wanted = await dedicated(database, nodes(opened))
    assert [one.id for one in await fees(database, date(2026, 8, 1), datetime(2026, 8, 2, tzinfo=UTC))] == [wanted.id]
    assert await left(database, opened) == 10_000_000
    async with database.begin() as session:
        assert [one.valid_to for one in await dedications_of(session, None)] == [datetime(2026, 8, 1, tzinfo=UTC)]


async def test_a_closing_ends_no_nodes_whose_later_month_is_paid(database):
    opened = await world(database, "40")
    wanted = await dedicated(database, nodes(opened))
    async with database.begin() as session:
        key = fee_key(wanted, JULY_1)
        paid = Entry(key, "dedicated", "CNY", {wallet(opened.project): -30_000_000, DEDICATED: 30_000_000})
        await post(session, [paid], now=JULY)
    with pytest.raises(Conflict, match="2026-06 is not paid"):
        await closed(database)
    async with database.begin() as session:
        assert [one.valid_to for one in await dedications_of(session, None)] == [None]
        await top_up(session, opened.project, Money.parse("20"), key="second", person="op", now=JULY)
    assert await closed(database)
    assert await left(database, opened) == 0


async def closed(database, month: date = JUNE, now: datetime = JULY) -> bool:
    async with database.begin() as session:
        return await close_period(session, month, person="op", now=now)


async def test_what_is_charged_after_a_month_was_closed_falls_into_the_next(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    assert [await closed(database), await closed(database)] == [True, False]
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=50), record("2")))
    async with database.begin() as session:
        rows = (
            await session.execute(text("SELECT period, amount_micro FROM charges ORDER BY charged_at, revision"))
        ).all()
        assert await is_closed(session, JUNE)
    assert sorted((f"{row.period:%m}", row.amount_micro) for row in rows) == [
        ("06", 13_717), ("07", -6_858), ("07", 13_717),
    ]  # fmt: skip
    await sound(database)


async def test_a_reversal_falls_into_an_open_month_too(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    await closed(database)
    async with database.begin() as session:
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges"))
        await reverse(session, EntryId(entry), reason="goodwill", person="op", now=JULY)
        (period,) = await session.scalars(text("SELECT period FROM charges WHERE is_reversal"))
    assert period == month_of(JULY)


async def test_unrated_usage_blocks_the_closing_of_its_month_and_of_later_ones_only(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1", queue="new", ended_at=NOW + 40 * DAY)))
    assert await closed(database)
    with pytest.raises(Conflict, match="Usages of 2026-07 or before that are unrated: 1;"):
        await closed(database, date(2026, 7, 1), JULY + 31 * DAY)
    price = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, Decimal(1), Decimal(0), "CNY")
    async with database.begin() as session:
        await add_price(session, EAST, "new", price, person="op", now=NOW, valid_from=NOW - DAY)
        waiting = [one.usage for one in await unrated_page(session)]
    await charged(database, waiting)
    assert await closed(database, date(2026, 7, 1), JULY + 31 * DAY)


async def test_a_month_lists_its_own_unrated_usage_and_what_came_too_late_for_a_closed_one(database):
    opened = await world(database)

    async def counted() -> list[tuple[date, int]]:
        async with database.begin() as session:
            return [(one.month, one.unrated) for one in await periods(session)]

    later = [record(id_, queue="new", ended_at=NOW + 40 * DAY) for id_ in ("1", "2")]
    await charged(database, await metered(database, opened, *later))
    assert await closed(database)
    await charged(database, await metered(database, opened, record("3", queue="new")))
    last = record("4", queue="new", ended_at=NOW + 70 * DAY)
    await charged(database, await metered(database, opened, last))
    assert await counted() == [(date(2026, 8, 1), 1), (date(2026, 7, 1), 3), (JUNE, 0)]
    with pytest.raises(Conflict, match="Usages of 2026-07 or before that are unrated: 3;"):
        await closed(database, date(2026, 7, 1), JULY + 31 * DAY)


async def test_a_month_is_closed_after_it_is_over_and_after_the_months_before(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    for month, now in ((JUNE, NOW), (date(2026, 6, 2), JULY)):
        with pytest.raises(Invalid, match="a month that is over"):
            await closed(database, month, now)
    with pytest.raises(Conflict, match="2026-06 is still open"):
        await closed(database, date(2026, 7, 1), JULY + 31 * DAY)


async def test_closing_a_month_posts_the_fees_that_were_due(database):
    opened = await world(database)
    await dedicated(database, nodes(opened))
    await closed(database)
    assert await left(database, opened) == 70_000_000


async def test_charging_and_closing_at_one_moment_leave_no_charge_in_a_closed_month(database):
    opened = await world(database)
    usages = [await metered(database, opened, record(str(number))) for number in range(8)]
    work = [charged(database, one) for one in usages]
    await asyncio.gather(*work[:4], closed(database), *work[4:])
    async with database.begin() as session:
        query = text("SELECT count(*) FROM charges JOIN billing_periods USING (period) WHERE charged_at > closed_at")
        assert (await session.scalars(query)).one() == 0
        assert (await session.scalars(text("SELECT count(*) FROM charges"))).one() == 8


@pytest.mark.parametrize(
    ("forgery", "why"),
    [
        ("UPDATE billing_periods SET closed_at = NULL, closed_by = NULL", "stays closed"),
        ("DELETE FROM billing_periods", "stays closed"),
        (
            "INSERT INTO charges SELECT (jsonb_populate_record(NULL::charges, "
            "to_jsonb(charges) || '{\"revision\": 2}')).* FROM charges",
            "period is closed",
        ),
    ],
)
async def test_the_database_keeps_a_closed_month_closed(database, owned, forgery, why):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1")))
    await closed(database)
    with pytest.raises(DBAPIError, match=why):
        async with owned.begin() as session:
            await session.execute(text(forgery))
