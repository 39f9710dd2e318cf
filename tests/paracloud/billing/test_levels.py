"""Who comes to a level is told once, whoever looks and however often."""

import asyncio
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import event, text
from tests.paracloud.billing.builders import NOW, charged, metered, record, world
from tests.paracloud.billing.paying import JULY, budget, budgeted, funded, held, organisation_of

from paracloud.billing.hold import hold, release
from paracloud.billing.notice import NoticeKind
from paracloud.billing.notices import notices_of
from paracloud.billing.tell_budget_levels import tell_budget_levels
from paracloud.billing.tell_wallet_levels import tell_wallet_levels
from paracloud.billing.top_up import top_up
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Role
from paracloud.identity.create_user import create_user
from paracloud.kit.identifiers import new_uuid
from paracloud.kit.money import Money

LEVELS = (Money.parse("50"), Money.parse("10"), Money(0))


async def look(database, verb=tell_wallet_levels, now=NOW) -> list[str]:
    async with database.begin() as session:
        return [str(one.level) for one in await verb(session, now=now)]


async def paid(database, opened, amount: str) -> None:
    async with database.begin() as session:
        key = str(new_uuid())
        await top_up(session, opened.project, Money.parse(amount), key=key, person="op", now=NOW)


async def released(database, *jobs: str) -> None:
    async with database.begin() as session:
        await release(session, jobs, now=NOW)


async def test_each_level_is_told_once_and_again_after_the_money_rose_above_it(database):
    opened = await world(database)
    await funded(database, opened, warnings=LEVELS)
    assert await look(database) == []
    await held(database, opened, "job-1", "50")
    assert [await look(database), await look(database)] == [["50.000000"], []]
    await held(database, opened, "job-2", "45")
    assert await look(database) == ["10.000000"]
    await released(database, "job-1", "job-2")
    assert await look(database) == []
    await held(database, opened, "job-3", "100")
    assert await look(database) == ["50.000000", "10.000000", "0.000000"]


async def test_a_credit_line_counts_as_what_is_left(database):
    opened = await world(database, "20")
    await funded(database, opened, line=Money.parse("40"), warnings=LEVELS)
    assert await look(database) == []
    await held(database, opened, "job-1", "30")
    async with database.begin() as session:
        (told,) = await tell_wallet_levels(session, now=NOW)
    assert (told.kind, told.amount, told.level) == (NoticeKind.WALLET_LEVEL, Money.parse("30"), LEVELS[0])
    assert "30.000000 CNY is left" in told.en
    assert "剩余 30.000000 CNY" in told.zh


async def test_one_crossing_is_told_once_while_money_moves_and_many_look(database):
    opened = await world(database)
    await funded(database, opened, warnings=LEVELS)
    for number in range(4):
        moving = [held(database, opened, f"job-{number}-{one}", "30") for one in range(3)]
        told = await asyncio.gather(*(look(database) for _ in range(6)), *moving, *(look(database) for _ in range(6)))
        seen = [level for one in told if isinstance(one, list) for level in one] + await look(database)
        assert sorted(seen) == ["10.000000", "50.000000"]
        await released(database, *(f"job-{number}-{one}" for one in range(3)))
        assert await look(database) == []


async def test_whoever_looks_while_another_is_telling_leaves_it_to_that_one(database):
    opened = await world(database)
    await funded(database, opened, warnings=LEVELS)
    await held(database, opened, "job-1", "60")
    async with database.begin() as first, database.begin() as second:
        assert len(await tell_wallet_levels(first, now=NOW)) == 1
        assert await tell_wallet_levels(second, now=NOW) == []
    assert await look(database) == []


async def test_a_budgets_levels_are_told_once_in_each_month(database):
    opened = await world(database)
    await budgeted(database, budget(opened, "0.02", is_monthly=True, is_hard=False, warn_percent=(50, 80, 100)))
    assert await look(database, tell_budget_levels) == []
    await charged(database, await metered(database, opened, record("1")))
    assert await look(database, tell_budget_levels) == ["0.010000"]
    await held(database, opened, "job-1", "0.01")
    both = await asyncio.gather(*(look(database, tell_budget_levels) for _ in range(6)))
    assert sorted(level for one in both for level in one) == ["0.016000", "0.020000"]
    await released(database, "job-1")
    await held(database, opened, "job-2", "0.01")
    assert await look(database, tell_budget_levels) == []
    assert await look(database, tell_budget_levels, JULY) == ["0.010000"]


async def test_however_many_budgets_there_are_they_are_asked_for_at_once(database):
    opened = await world(database)
    await held(database, opened, "job-1", "0.5")
    statements: list[str] = []
    event.listen(database.engine.sync_engine, "before_cursor_execute", lambda *call: statements.append(call[2]))
    counts = []
    for number in (1, 9):
        for _ in range(number):
            await budgeted(database, budget(opened, "100", is_monthly=bool(number % 2)))
        statements.clear()
        assert await look(database, tell_budget_levels) == []
        counts.append(len(statements))
    assert counts[0] == counts[1]


async def test_a_budget_that_is_no_monthly_one_tells_each_level_once_at_all(database):
    opened = await world(database)
    await budgeted(database, budget(opened, "1", warn_percent=(80,)))
    await held(database, opened, "job-1", "0.9")
    told = [await look(database, tell_budget_levels, NOW + timedelta(days=days)) for days in (0, 1, 40)]
    assert told == [["0.800000"], [], []]


async def test_a_project_reads_its_own_and_its_organisations_notices_from_a_number_on(database):
    opened = await world(database)
    organisation = await organisation_of(database, opened)
    await budgeted(database, budget(opened, "1", project=None, organisation=organisation, is_hard=False))
    await funded(database, opened, warnings=LEVELS)
    await held(database, opened, "job-1", "1")
    await look(database, tell_budget_levels)
    await paid(database, opened, "1")
    await released(database, "job-1")
    await held(database, opened, "job-2", "60")
    await look(database)
    stranger = await other_project(database)
    async with database.begin() as session:
        found = await notices_of(session, opened.project)
        assert [one.kind for _, one in found] == [NoticeKind.BUDGET_LEVEL] * 2 + [NoticeKind.WALLET_LEVEL]
        assert await notices_of(session, opened.project, limit=1) == found[:1]
        assert await notices_of(session, opened.project, after=found[0][0]) == found[1:]
        assert await notices_of(session, stranger) == []


async def other_project(database):
    statement = (
        "WITH made AS (INSERT INTO organisations SELECT gen_random_uuid(), 'other', 'institute', now() RETURNING id) "
        "INSERT INTO projects SELECT gen_random_uuid(), id, 'other', now() FROM made RETURNING id"
    )
    async with database.begin() as session:
        return (await session.execute(text(statement))).scalar_one()


async def test_a_users_budget_is_told_to_that_user_and_to_who_sees_all(database):
    opened = await world(database)
    async with database.begin() as session:
        lin, wang = [await create_user(session, login, now=NOW) for login in ("lin", "wang")]
        await add_member(session, "lin", opened.project, Role.MEMBER)
    await budgeted(database, replace(budget(opened, "1", warn_percent=(1,)), user=lin))
    async with database.begin() as session:
        await hold(session, opened.project, "job-1", Money.parse("0.5"), now=NOW, user=lin)
    await look(database, tell_budget_levels)
    async with database.begin() as session:
        assert [len(await notices_of(session, opened.project, user=one)) for one in (lin, wang, None)] == [1, 0, 1]
