"""Budgets hold what they say: hard or soft, of a project, a user or all of an organisation, in a month or ever."""

import asyncio
from dataclasses import replace

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import NOW, charged, metered, record, world
from tests.paracloud.billing.paying import DAY, JULY, budget, budgeted, funded, held, organisation_of, spent

from paracloud.billing.budget import budgets_of, end_budget
from paracloud.billing.hold import hold, release
from paracloud.billing.within_budgets import OverBudget
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Role
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.kit.errors import Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import ProjectId, new_uuid
from paracloud.kit.money import Money


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
