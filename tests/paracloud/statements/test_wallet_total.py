"""What a statement says the wallet paid of a month's usage is what the month's charges posted to it, whatever became of
the packages and credits that had paid first."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    World,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)
from tests.paracloud.statements.month import stated

from paracloud.billing.charge import charge
from paracloud.billing.cover import Package, Unit
from paracloud.billing.end_package import end_package
from paracloud.billing.expire_packages import expire_packages
from paracloud.billing.reverse import reverse
from paracloud.billing.top_up import top_up
from paracloud.identity.create_project import create_project
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import EntryId, OrganisationId, UnixAccount, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.statements.payers import any_payer
from paracloud.statements.statement import Line, PayerKind, Statement

POSTED = text("""
    SELECT coalesce(-sum(posting.micro), 0) FROM ledger_postings AS posting
      JOIN ledger_accounts AS account ON account.id = posting.account_id
     WHERE account.code IN ('wallet:' || :project, 'held:' || :project)
       AND posting.entry_id IN (SELECT entry_id FROM charges WHERE project_id = CAST(:project AS uuid))
""")
ENTRIES = text("""
    SELECT DISTINCT entry_id, usage_id FROM charges
     WHERE project_id = :project AND NOT is_reversal AND entry_id IS NOT NULL ORDER BY entry_id, usage_id
""")
MICRO = st.integers(1, 3_000_000)
STEPS = st.one_of(
    st.tuples(st.just("run"), st.integers(0, 4), st.integers(0, 5000)),
    st.tuples(st.just("sell"), st.integers(1, 20_000), MICRO),
    st.tuples(st.just("credit"), MICRO, st.just(0)),
    st.tuples(st.just("end"), st.integers(0, 5), st.just(0)),
    st.tuples(st.just("expire"), st.just(0), st.just(0)),
    st.tuples(st.just("reverse"), st.integers(0, 20), st.just(0)),
)


@dataclass
class Customer:
    """A project of its own in the one world."""

    database: Database
    opened: World
    account: UnixAccount
    packages: list[Package] = field(default_factory=list)

    async def take(self, step: tuple[str, int, int]) -> None:
        kind, number, figure = step
        match kind:
            case "run":
                await self.run(number, figure)
            case "sell":
                await self.sell(total=number, price=str(Money(figure)))
            case "credit":
                await self.sell(unit=Unit.MICRO, total=number, price="0")
            case "end":
                await self.end(number)
            case "expire":
                async with self.database.begin() as session:
                    await expire_packages(session, now=NOW + timedelta(days=9))
            case _:
                await self.reverse(number)

    async def run(self, number: int, seconds: int) -> None:
        ended = NOW + timedelta(seconds=seconds)
        read = record(f"{self.account}.{number}", account=self.account, elapsed_seconds=seconds, ended_at=ended)
        async with self.database.begin() as session:
            owners = {self.account: self.opened.project}
            got = await collect(session, EAST, [read], owners=owners, claims={}, now=NOW)
            await charge(session, [*got.new, *got.corrected], pinned={}, now=NOW)

    async def sell(self, **changes: object) -> None:
        days = timedelta(days=1 if len(self.packages) % 2 else 20)
        self.packages.append(await sold(self.database, self.opened, expires_at=NOW + days, **changes))  # type: ignore[arg-type]

    async def end(self, number: int) -> None:
        if self.packages:
            with suppress(Conflict):
                async with self.database.begin() as session:
                    of = self.packages[number % len(self.packages)]
                    await end_package(session, of.id, reason="test", person="op", now=NOW)

    async def reverse(self, number: int) -> None:
        async with self.database.begin() as session:
            found = (await session.execute(ENTRIES, {"project": self.opened.project})).all()
        if found:
            entry, usage = found[number % len(found)]
            with suppress(Conflict):
                async with self.database.begin() as session:
                    await reverse(session, EntryId(entry), reason="test", person="op", now=NOW, usage=usage)

    async def stated(self) -> tuple[Statement, list[Line]]:
        async with self.database.begin() as session:
            payer = await any_payer(session, PayerKind.PROJECT, self.opened.project)
        return await stated(self.database, payer)

    async def assert_stated_as_posted(self) -> None:
        said, lines = await self.stated()
        async with self.database.begin() as session:
            posted = int((await session.execute(POSTED, {"project": str(self.opened.project)})).scalar_one())
        assert said.total.wallet == sum(one.sums.wallet for one in lines) == posted == -said.charged


@pytest.fixture
async def opened(database: Database) -> World:
    """One centre, price and contract; each example opens a project of its own in the same database."""
    return await world(database)


async def customer(database: Database, opened: World) -> Customer:
    name = new_uuid().hex
    async with database.begin() as session:
        organisation = (await session.execute(text("SELECT id FROM organisations LIMIT 1"))).scalar_one()
        project = await create_project(session, OrganisationId(organisation), name, now=NOW)
        await top_up(session, project, Money.parse("100"), key=name, person="op", now=NOW)
    return Customer(database, World(project, opened.price), UnixAccount(f"u{name[-20:]}"))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(price=MICRO, credit=MICRO, steps=st.lists(STEPS, min_size=1, max_size=12))
async def test_the_wallet_paid_what_the_months_charges_posted_to_it(
    database: Database, opened: World, price: int, credit: int, steps: Sequence[tuple[str, int, int]]
) -> None:
    of = await customer(database, opened)
    begun = [("sell", 5000, price), ("credit", credit, 0), ("run", 0, 1000), ("run", 1, 2000)]
    for step in (*begun, *steps):
        await of.take(step)
    await of.assert_stated_as_posted()
    await sound(database)


async def test_of_a_month_whose_money_all_came_back_nothing_is_asked(database):
    opened = await world(database)
    package = await sold(database, opened, hours=7, price="1")
    await charged(database, await metered(database, opened, record(elapsed_seconds=3600)))
    async with database.begin() as session:
        await end_package(session, package.id, reason="test", person="op", now=NOW)
        (entry,) = await session.scalars(text("SELECT entry_id FROM charges"))
        await reverse(session, EntryId(entry), reason="test", person="op", now=NOW)
    assert await left(database, opened) == 100_000_000
    said, _ = await Customer(database, opened, UnixAccount("east001")).stated()
    assert said.total.wallet - sum(one.micro for one in said.movements if one.is_cost) == 0
    assert (said.total.amount, said.total.package, said.total.wallet) == (0, 571_429, -571_429)


async def test_what_an_ended_package_gave_comes_back_in_parts_to_the_micro_unit(database):
    """Three units of a price that no three parts are of: a correction, a second one, a reversal give back just all."""
    opened = await world(database)
    package = await sold(database, opened, total=400, price="0.000002")
    run = record("1", elapsed_seconds=100)
    (usage,) = await metered(database, opened, run)
    await charged(database, [usage])
    async with database.begin() as session:
        await end_package(session, package.id, reason="test", person="op", now=NOW)
    for seconds in (75, 50, 25, 0):
        shorter = record("1", elapsed_seconds=seconds, ended_at=NOW + timedelta(seconds=seconds))
        await charged(database, await metered(database, opened, shorter))
    assert await left(database, opened) == 100_000_000
    assert (await package_now(database, package)).used == 400
    await sound(database)
