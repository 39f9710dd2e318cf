"""A budget counts the most that accepted jobs can still cost, whether the wallet, a package or a credit pays for it."""

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from tests.paracloud.billing.builders import EAST, NOW, World, charged, metered, record, sold, sound, world
from tests.paracloud.billing.paying import JULY, JUNE, budget, budgeted, funded, organisation_of, spent

from paracloud.billing.cover import Place, Unit
from paracloud.billing.extend_hold import extend_hold
from paracloud.billing.hold import hold, release
from paracloud.billing.rate import Most, most
from paracloud.billing.reserve import Wanted
from paracloud.billing.spent import SPENT
from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Role
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import UserId
from paracloud.kit.money import Money

HOUR = timedelta(hours=1)
PLACE = Place("general", EAST, "cpu")
EACH = 12_345_679
"""Micro-yuan that a hundred core-hours cost."""


def hundred(opened: World, tasks: int = 1) -> Most:
    return most({"cores": 100, "gpus": 0}, HOUR, timedelta(0), opened.price, tasks=tasks)


async def accepted(database, opened: World, job: str, bound: Most | None = None, user: UserId | None = None) -> int:
    """What the wallet gave for it."""
    bound = bound or hundred(opened)
    async with database.begin() as session:
        given = await hold(session, opened.project, job, bound.amount, now=NOW, user=user, most=bound, place=PLACE)
    return given.micro


async def paid_ahead(database, opened: World, way: str) -> None:
    if way == "package":
        await sold(database, opened, hours=10_000)
    else:
        await sold(database, opened, unit=Unit.MICRO, total=10**9, price_micro=0)


@pytest.mark.parametrize("way", ["package", "credit"])
async def test_a_hard_budget_holds_where_packages_or_credits_pay(database, way):
    opened = await world(database)
    await paid_ahead(database, opened, way)
    wanted = await budgeted(database, budget(opened, "20"))
    assert await accepted(database, opened, "job-0") == 0
    assert await spent(database, wanted) == EACH
    for number in range(1, 10):
        with pytest.raises(NotEnoughFunds):
            await accepted(database, opened, f"job-{number}")
    async with database.begin() as session:
        await release(session, ["job-0"], now=NOW)
    assert await spent(database, wanted) == 0
    await accepted(database, opened, "job-1")


async def test_a_hard_budget_counts_hours_of_a_package_at_what_they_cost_there(database):
    """They may have cost more than the price of the queue says."""
    opened = await world(database, "1000")
    await sold(database, opened, price="200", hours=150)
    wanted = await budgeted(database, budget(opened, "150"))
    assert await accepted(database, opened, "job-1") == 0
    assert await spent(database, wanted) == 133_333_334
    with pytest.raises(NotEnoughFunds, match="can cost up to 72"):  # 50 hours of the package, 50 from the wallet
        await accepted(database, opened, "job-2")
    done = record("1", cores=100, elapsed_seconds=3600, ended_at=NOW + HOUR)
    assert await charged(database, await metered(database, opened, done, job="job-1")) == [133_333_333]
    await sound(database)


@pytest.mark.parametrize("way", ["package", "credit", "wallet"])
async def test_of_an_array_that_is_charged_in_part_what_it_can_still_cost_is_counted(database, way):
    opened = await world(database)
    if way != "wallet":
        await paid_ahead(database, opened, way)
    wanted = await budgeted(database, budget(opened, "100", is_monthly=True))
    bound = hundred(opened, tasks=2)
    await accepted(database, opened, "job-1", bound)
    done = [record("1", task_index=task, cores=100, elapsed_seconds=1800, ended_at=NOW + HOUR / 2) for task in (1, 2)]
    (first,) = await charged(database, await metered(database, opened, done[0], job="job-1"))
    assert first
    assert await spent(database, wanted) == bound.amount.micro
    assert await spent(database, wanted, JULY) == bound.amount.micro - first  # charged in another month
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
    assert await spent(database, wanted) == first
    await sound(database)


async def test_what_costs_more_than_was_held_for_takes_nothing_from_what_others_can_cost(database):
    opened = await world(database)
    wanted = await budgeted(database, budget(opened, "1000"))
    await accepted(database, opened, "job-1", hundred(opened))
    await accepted(database, opened, "job-2", hundred(opened))
    over = record("1", cores=100, elapsed_seconds=7200, ended_at=NOW + 2 * HOUR)
    assert await charged(database, await metered(database, opened, over, job="job-1")) == [2 * EACH]
    assert await spent(database, wanted) == 3 * EACH


async def test_a_duplicate_is_the_platforms_cost_and_leaves_what_the_job_can_cost(database):
    opened = await world(database)
    wanted = await budgeted(database, budget(opened, "1000"))
    await accepted(database, opened, "job-1")
    (twice,) = await metered(database, opened, record("1"), job="job-1")
    await charged(database, [replace(twice, is_duplicate=True)])
    assert await spent(database, wanted) == EACH


async def test_a_slice_that_a_package_pays_for_counts_too(database):
    opened = await world(database)
    await paid_ahead(database, opened, "package")
    wanted = await budgeted(database, budget(opened, "20"))
    bound = most({"cores": 50, "gpus": 0}, HOUR, timedelta(0), opened.price)
    assert await accepted(database, opened, "job-1", bound) == 0

    async def extended(until: int) -> Money:
        more = Wanted(opened.project, "job-1", bound.amount, None, bound, PLACE)
        async with database.begin() as session:
            return await extend_hold(session, more, until_seconds=until, now=NOW)

    for until in (7200, 7200, 10_800):
        assert await extended(until) == Money(0)
    assert await spent(database, wanted) == 3 * bound.amount.micro
    with pytest.raises(NotEnoughFunds, match="project's budget"):
        await extended(14_400)


async def test_each_budget_counts_what_is_its_own(database):
    opened = await world(database)
    async with database.begin() as session:
        lin, wang = [await create_user(session, login, now=NOW) for login in ("lin", "wang")]
        await add_member(session, "lin", opened.project, Role.MEMBER)
        organisation = await organisation_of(database, opened)
        other = await create_project(session, organisation, "邻组", now=NOW)
    neighbour = replace(opened, project=other)
    await funded(database, neighbour, line=Money.parse("100"))
    whole = await budgeted(database, budget(opened, "1000", project=None, organisation=organisation))
    own = await budgeted(database, budget(opened, "1000"))
    lins = await budgeted(database, budget(opened, "1000", user=lin))
    await accepted(database, opened, "job-1", user=lin)
    await accepted(database, opened, "job-2", user=wang)
    await accepted(database, neighbour, "job-3", user=lin)
    await charged(database, await metered(database, opened, record("1"), job="job-1"))
    await charged(database, await metered(database, opened, record("2")))
    assert [await spent(database, one) for one in (whole, own, lins)] == [
        3 * EACH + 13_717, 2 * EACH + 13_717, EACH,
    ]  # fmt: skip


async def test_a_one_off_budget_counts_what_ran_since_it_began_whenever_that_is_charged(database):
    opened = await world(database)
    wanted = await budgeted(database, budget(opened, "1000", valid_from=NOW + HOUR))
    before = record("1", ended_at=NOW + HOUR)
    since = record("2", ended_at=NOW + HOUR + timedelta(seconds=1))
    await charged(database, await metered(database, opened, before, since))
    assert await spent(database, wanted) == 13_717
    halved = [replace(one, elapsed_seconds=50) for one in (before, since)]
    await charged(database, await metered(database, opened, *halved))
    assert await spent(database, wanted) == 6_859  # the correction of what it counts, and of nothing else
    longer = replace(before, ended_at=NOW + 2 * HOUR)
    await charged(database, await metered(database, opened, longer))
    assert await spent(database, wanted) == 6_859 + 13_717


async def test_a_job_that_costs_nothing_more_is_accepted_however_much_is_spent(database):
    opened = await world(database)
    await charged(database, await metered(database, opened, record("1", elapsed_seconds=36_000)))
    await budgeted(database, budget(opened, "1"))
    nothing = replace(hundred(opened), core_seconds=0, amount=Money(0))
    assert await accepted(database, opened, "job-1", nothing) == 0
    with pytest.raises(NotEnoughFunds):
        await accepted(database, opened, "job-2", replace(nothing, amount=Money(1)))


async def test_what_is_spent_is_found_by_index(database):
    """However many jobs there were: a plan that reads all holds would be slow for everybody who submits."""
    opened = await world(database)
    wanted = await budgeted(database, budget(opened, "1000"))
    explaining = text(f"EXPLAIN {SPENT}").bindparams(bindparam("budgets", type_=ARRAY(Uuid)))
    async with database.begin() as session:
        await session.execute(text("SET LOCAL enable_seqscan = off"))
        rows = await session.scalars(explaining, {"budgets": [wanted.id], "month": JUNE})
        plan = "\n".join(rows.all())
    for index in ("ix_holds_open", "ix_charges_reference", "ix_charges_project_id_period"):
        assert index in plan
    assert "Seq Scan" not in plan
