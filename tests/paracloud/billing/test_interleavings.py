"""Whatever happens to a project's money, in whatever order and at whatever moment, every invariant stands."""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import CORE_HOUR, EAST, NOW, World, record, world

from paracloud.billing import store
from paracloud.billing.charge import charge
from paracloud.billing.check import check, ledger_sum_micro
from paracloud.billing.hold import hold, release
from paracloud.billing.reverse import reverse
from paracloud.billing.statement import balance, statement
from paracloud.billing.top_up import top_up
from paracloud.identity.create_project import create_project
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, NotEnoughFunds
from paracloud.kit.identifiers import UnixAccount, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.usage import Claim, key_of

JOBS = st.integers(0, 3)
MICRO = st.integers(1, 3_000_000)
STEPS = st.one_of(
    st.tuples(st.just("top-up"), st.integers(0, 5), MICRO),
    st.tuples(st.just("hold"), JOBS, MICRO),
    st.tuples(st.just("run"), st.integers(0, 7), st.integers(0, 5000)),
    st.tuples(st.just("release"), JOBS, st.just(0)),
    st.tuples(st.just("reverse"), st.integers(0, 20), st.just(0)),
)


@dataclass
class Tale:
    """One project of its own, and a model of it that knows nothing of entries: payments, and the newest figures of each
    execution. Executions 0 to 3 belong to the job of that number, 4 and 5 were started by hand, 6 and 7 are
    duplicates."""

    database: Database
    opened: World
    account: UnixAccount
    paid: dict[int, int] = field(default_factory=dict)
    seconds: dict[int, int] = field(default_factory=dict)
    reversed_entries: set[object] = field(default_factory=set)
    refused: set[str] = field(default_factory=set)

    def job(self, number: int) -> str:
        return f"{self.account}-{number}"

    async def take(self, step: tuple[str, int, int]) -> None:
        kind, number, figure = step
        with suppress(NotEnoughFunds):
            match kind:
                case "top-up":
                    await self.top_up(number, figure)
                case "hold":
                    async with self.database.begin() as session:
                        await hold(session, self.opened.project, self.job(number), Money(figure), now=NOW)
                case "run":
                    await self.run(number, figure)
                case "release":
                    async with self.database.begin() as session:
                        await release(session, [self.job(number)], now=NOW)
                case _:
                    await self.reverse(number)

    async def top_up(self, number: int, micro: int) -> None:
        amount = self.paid.setdefault(number, micro)
        key = f"{self.account}-{number}"
        try:
            async with self.database.begin() as session:
                await top_up(session, self.opened.project, Money(amount), key=key, person="op", now=NOW)
        except Conflict:  # counted before, and taken back
            self.refused.add(f"top-up:{key}")

    async def run(self, number: int, seconds: int) -> None:
        self.seconds[number] = seconds
        read = record(
            f"{self.account}.{number}", account=self.account, elapsed_seconds=seconds,
            ended_at=NOW + timedelta(seconds=seconds),
        )  # fmt: skip
        claim = Claim(self.job(number) if number < 4 else None, is_duplicate=number > 5)
        claims, pinned = {key_of(EAST, read): claim}, {self.job(number): self.opened.price.id}
        async with self.database.begin() as session:
            owners = {self.account: self.opened.project}
            got = await collect(session, EAST, [read], owners=owners, claims=claims, now=NOW)
            await charge(session, [*got.new, *got.corrected], pinned=pinned, now=NOW)

    async def reverse(self, number: int) -> None:
        async with self.database.begin() as session:
            lines = (await statement(session, self.opened.project, NOW, NOW + timedelta(days=1))).lines
        reversible = [line for line in lines if line.kind in {"top-up", "charge"}]
        if reversible:
            entry = reversible[number % len(reversible)].entry
            with suppress(Conflict):  # by another at the same moment, or before
                async with self.database.begin() as session:
                    await reverse(session, entry, reason="test", person="op", now=NOW)
                self.reversed_entries.add(entry)

    async def assert_sound(self) -> None:
        async with self.database.begin() as session:
            both = await balance(session, self.opened.project)
            told = await statement(session, self.opened.project, NOW, NOW + timedelta(days=1))
            differences = await check(session)
            assert await ledger_sum_micro(session) == 0
            assert all([await store.is_reversed(session, key) for key in self.refused])
        assert differences == []
        amounts = {line.entry: line.amount.micro for line in told.lines if line.kind == "top-up"}
        paid = sum(amounts[entry] for entry in amounts.keys() - self.reversed_entries)
        assert sum(amounts.values()) == sum(self.paid.values())
        assert both.available.micro + both.held.micro == paid - await self.spent()
        assert told.closing == both.available + both.held
        assert both.held.micro >= 0

    async def spent(self) -> int:
        """What was charged and not taken back; it is what was used wherever no charge of that usage was taken back."""
        query = text(
            "SELECT usage.record_id, charges.is_reversal, charges.amount_micro FROM charges "
            "JOIN usage ON usage.id = charges.usage_id WHERE usage.account = :account AND NOT usage.is_duplicate"
        )
        async with self.database.begin() as session:
            rows = (await session.execute(query, {"account": self.account})).all()
        total = 0
        for number, seconds in self.seconds.items():
            mine = [row for row in rows if row.record_id == f"{self.account}.{number}"]
            net = sum(row.amount_micro for row in mine)
            if number < 6 and not any(row.is_reversal for row in mine):
                assert net == round(4 * seconds * Fraction(CORE_HOUR) * 10**6 / 3600)
            total += net
        return total


async def tale(database: Database, opened: World) -> Tale:
    async with database.begin() as session:
        organisation = (await session.execute(text("SELECT id FROM organisations LIMIT 1"))).scalar_one()
        name = new_uuid().hex
        project = await create_project(session, organisation, name, now=NOW)
    return Tale(database, World(project, opened.price), UnixAccount(f"u{name[-20:]}"))


@pytest.fixture
async def opened(database: Database) -> World:
    """One centre, price and contract; each example opens a project of its own in the same database."""
    return await world(database)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(crowds=st.lists(st.lists(STEPS, min_size=1, max_size=5), min_size=1, max_size=6))
async def test_any_interleaving_leaves_every_invariant_true(
    database: Database, opened: World, crowds: Sequence[Sequence[tuple[str, int, int]]]
) -> None:
    """The steps of a crowd happen at the same moment, the crowds one after another."""
    told = await tale(database, opened)
    for crowd in crowds:
        await asyncio.gather(*map(told.take, crowd))
    for number, seconds in dict(told.seconds).items():  # of two changes at one moment either may come last: read again
        await told.run(number, seconds)
    await told.assert_sound()
    for number in range(4):
        await told.take(("release", number, 0))
    await told.assert_sound()
    async with database.begin() as session:
        assert (await balance(session, told.opened.project)).held == Money(0)
