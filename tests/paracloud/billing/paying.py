"""Ways to pay, as tests agree on them: funding, budgets, dedicated nodes and their fees, a month that is closed."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World

from paracloud.billing.budget import Budget, set_budget, spent_of
from paracloud.billing.close_period import close_period
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.hold import hold
from paracloud.billing.post_fees import post_fees
from paracloud.kit.identifiers import BudgetId, OrganisationId, new_uuid
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


async def closed(database, month: date = JUNE, now: datetime = JULY) -> bool:
    async with database.begin() as session:
        return await close_period(session, month, person="op", now=now)
