"""What billing would not write: the database refuses it, or the daily check names it with its amount. What is right
stays quiet, however it was paid and whatever became of it since."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    charged,
    left,
    metered,
    record,
    sold,
    sound,
    world,
)

from paracloud.billing import charges
from paracloud.billing.charge import charge
from paracloud.billing.charges import NewCharge
from paracloud.billing.check import check
from paracloud.billing.close_period import close_period
from paracloud.billing.contract import Lent, add_contract, contracts_of
from paracloud.billing.cover import Unit
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.entry import Entry, payable, revenue, wallet
from paracloud.billing.mismatch import Cause
from paracloud.billing.period import open_periods
from paracloud.billing.post import post
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.identity.create_project import create_project
from paracloud.kit.identifiers import EntryId, OrganisationId

JUNE, SEPTEMBER = date(2026, 6, 1), date(2026, 9, 1)
IN_JULY = datetime(2026, 7, 2, tzinfo=UTC)
START, DAY = NOW.replace(hour=0), timedelta(days=1)
COST, SHARE = 13_717, 10_288
PAYS = "what a charge costs is paid by its own project"
USED = "a charge is of the project that used it"
MONTH = "a charge falls into the month that its usage ended in, or the first that was open"
BACK = "a reversal takes back what was charged, and nothing else"


@pytest.fixture
async def opened(database):
    return await world(database)


async def neighbour(database):
    async with database.begin() as session:
        organisation = OrganisationId((await session.scalars(text("SELECT organisation_id FROM projects"))).one())
        return await create_project(session, organisation, "邻组", now=NOW)


async def written(database, opened, usage, *, payer=None, key=None, month=JUNE, **changes) -> None:
    """A charge of what the usage costs, with `changes`, and an entry that says the same of the wallet of `payer`."""
    async with database.begin() as session:
        (contract,) = await contracts_of(session, [EAST])
        row = NewCharge(
            usage=usage.id, revision=1, period=(await open_periods(session, [month]))[month], project=opened.project,
            user=None, reference=None, price=opened.price.id, contract=contract.id, share_basis_points=7500,
            list_micro=COST, volume_micro=None, amount_micro=COST, package_micro=0, credit_micro=0, share_micro=SHARE,
            owner_micro=0, dedication=None, currency="CNY", is_duplicate=False,
        )  # fmt: skip
        row = replace(row, **changes)
        amount, share = row.amount_micro, row.share_micro
        postings = {wallet(payer or row.project): -amount, payable(EAST): share, revenue("general"): amount - share}
        name = key or f"charge:{usage.id}:1"
        made = await post(session, [Entry(name, "charge", "CNY", postings, str(usage.id))], now=NOW)
        await charges.add(session, [(row, made[name])], NOW)


async def named(database) -> list[tuple[str, str, int]]:
    async with database.begin() as session:
        return sorted((one.what, one.where, one.micro) for one in await check(session))


async def entry_of(database, usage) -> EntryId:
    async with database.begin() as session:
        query = text("SELECT entry_id FROM charges WHERE usage_id = :usage AND NOT is_reversal ORDER BY revision")
        return EntryId((await session.scalars(query, {"usage": usage.id})).first())


async def taken_back(database, usage, now=NOW) -> None:
    entry = await entry_of(database, usage)
    async with database.begin() as session:
        await reverse(session, entry, reason="goodwill", person="op", now=now, usage=usage.id)


async def test_a_charge_on_another_customers_wallet_is_found(database, opened):
    (usage,) = await metered(database, opened, record())
    other = await neighbour(database)
    await written(database, opened, usage, payer=other)
    assert await named(database) == sorted(
        [(PAYS, f"{usage.id} {opened.project}", COST), (PAYS, f"{usage.id} {other}", -COST)]
    )


async def test_a_charge_of_another_project_than_the_usages_is_refused(database, opened):
    (usage,) = await metered(database, opened, record())
    other = await neighbour(database)
    with pytest.raises(IntegrityError, match="the project that used it"):
        await written(database, opened, usage, project=other)
    await charged(database, [usage])
    await sound(database)


@pytest.mark.parametrize("month", [SEPTEMBER, date(2026, 7, 1), date(2026, 5, 1)])
async def test_a_charge_into_another_month_is_refused(database, opened, month):
    (usage,) = await metered(database, opened, record())
    with pytest.raises(IntegrityError, match="the month that its usage ended in"):
        await written(database, opened, usage, month=month)


async def test_a_charge_in_another_month_is_found(database, owned, opened):
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE charges SET period = '2026-09-01'"))
        assert [(one.what, one.where, one.micro) for one in await check(session)] == [(MONTH, str(usage.id), COST)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"amount_micro": -2 * COST, "share_micro": -2 * SHARE},
        {"share_micro": 0},
        {"list_micro": 0},
        {"owner_micro": -1},
    ],
)
async def test_a_reversal_of_more_or_less_than_was_charged_is_refused(database, opened, wrong):
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    less = {"list_micro": -COST, "amount_micro": -COST, "share_micro": -SHARE}
    said = {"is_reversal": True, "reason": "x", "person": "op", **less, **wrong}
    with pytest.raises(IntegrityError, match="takes back what was charged"):
        await written(database, opened, usage, key="reverse:x", **said)
    assert await left(database, opened) == 100_000_000 - COST


async def test_a_reversal_that_gave_back_too_much_is_found(database, owned, opened):
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    await taken_back(database, usage)
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        more = "UPDATE charges SET amount_micro = 2 * amount_micro, share_micro = share_micro - 7 WHERE is_reversal"
        await session.execute(text(more))
        assert (BACK, str(usage.id), -COST) in [(one.what, one.where, one.micro) for one in await check(session)]
        found = await reconcile(
            session, EAST, [record()], start=START, end=START + DAY, lent=opened.lent, pinned={},
            since=START,
        )  # fmt: skip
        assert [(one.cause, one.micro) for one in found.mismatches] == [
            (Cause.WRONG_AMOUNT, -COST),
            (Cause.WRONG_SHARE, -7),
            (Cause.NOT_SETTLED, 7),
        ]


async def test_what_is_right_stays_quiet_however_it_is_paid_and_whatever_becomes_of_it(database, opened):
    """A lender's nodes, hours and a credit that pay in part, one entry for a log, corrections, reversals before and
    after the closing, and a charge anew."""
    lender = await neighbour(database)
    async with database.begin() as session:
        lent = Lent(lender, 1500)
        await add_contract(session, EAST, 5000, person="op", now=START, valid_from=START - DAY, queue="cpu", lent=lent)
    await sold(database, opened, price="0.7", hours=0, unit=Unit.CORE_SECOND, total=900)
    await sold(database, opened, price="0", unit=Unit.MICRO, hours=0, total=30_000)
    runs = [record(str(number), cores=number, gpus=number % 2) for number in range(1, 9)]
    usages = await metered(database, opened, *runs)
    async with database.begin() as session:
        await charge(session, usages, pinned={}, now=NOW, together="old.log:1")
    await sound(database)
    await charged(database, await metered(database, opened, replace(runs[1], elapsed_seconds=30)))
    await charged(database, await metered(database, opened, replace(runs[2], elapsed_seconds=300)))
    await taken_back(database, usages[0])
    await taken_back(database, usages[2])
    await sound(database)
    async with database.begin() as session:
        await decide_usage(session, usages[0].id, opened.price.id, reason="agreed", person="op", now=NOW)
    async with database.begin() as session:
        await close_period(session, JUNE, person="op", now=IN_JULY)
    await taken_back(database, usages[1], IN_JULY)
    await taken_back(database, usages[4], IN_JULY)
    async with database.begin() as session:
        late = await metered(database, opened, replace(runs[5], elapsed_seconds=1, ended_at=NOW + timedelta(seconds=1)))
        await charge(session, late, pinned={}, now=IN_JULY)
    async with database.begin() as session:
        await decide_usage(session, usages[4].id, opened.price.id, reason="agreed", person="op", now=IN_JULY)
    await sound(database)
