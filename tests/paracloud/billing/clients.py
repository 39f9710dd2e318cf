"""A client of the books: a process that takes its steps one after the other, each a transaction of its own, and may be
killed at any moment. Whoever starts it again has it repeat the step that it was at."""

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncSession
from tests.paracloud.billing.builders import EAST, NOW, record

from paracloud.billing.charge import charge
from paracloud.billing.close_period import close_period
from paracloud.billing.cover import Package, Place, Unit
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.expire_packages import LATE, expire_packages
from paracloud.billing.hold import hold, release
from paracloud.billing.post_fees import post_fees
from paracloud.billing.rate import Most, Price
from paracloud.billing.reverse import reverse
from paracloud.billing.sell_package import sell_package
from paracloud.billing.top_up import top_up
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Invalid, NotEnoughFunds, Unreachable
from paracloud.kit.identifiers import DisputeId, EntryId, PackageId, ProjectId, UnixAccount, UsageId
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.usage import Claim, key_of
from paracloud.settlement.answer_settlement import answer_dispute, confirm, open_dispute, pay
from paracloud.settlement.people import lines_of, settlements_of
from paracloud.settlement.state_settlements import state_settlements

PLAIN, PACKAGED, FRUGAL = (0, 1), (2, 3), (4,)
"""Projects by number: those of which every amount is known from the steps; those with packages, credits, volume tiers
of their organisation and nodes of their own; and one that only pays in, holds and buys."""
CLIENTS, JOBS, SHARED_RUNS = 8, 4, 3
MAY = datetime(2026, 5, 31, 13, tzinfo=UTC)
PERIOD, JUNE = date(2026, 5, 1), date(2026, 6, 1)
LINE_MICRO = 1_000_000
"""The credit line of the frugal project."""
TRIES = 50


@dataclass(frozen=True, slots=True)
class Step:
    """`number` says of which payment, job, execution or package; `figure` how much, in micro-units or in seconds."""

    kind: str
    project: int
    number: int
    figure: int


@dataclass(frozen=True, slots=True)
class Estate:
    """What all clients share."""

    projects: tuple[ProjectId, ...]
    prices: Mapping[str, Price]


def steps_of(seed: int, client: int, count: int) -> list[Step]:
    """Executions from 100 on are this client's own: of these the last figures are known. Payments are everybody's."""
    random = Random(f"{seed}/{client}")
    steps = []
    for _ in range(count):
        kind = random.choices(*zip(*WEIGHTS.items(), strict=True))[0]
        project = random.choice(PROJECTS[kind])
        number, figure = random.randrange(JOBS), random.randrange(1, 3_000_000)
        if project in FRUGAL:
            number, figure = random.randrange(100), figure // 4
        if kind == "run":
            number = random.choice([random.randrange(SHARED_RUNS), 100 + 10 * client + random.randrange(4)])
            figure = random.randrange(5000)
        if kind in ("top-up", "reverse-top-up"):
            number, figure = random.randrange(12), 0
        if kind == "sell":
            number = 10 * client + random.randrange(3)
        steps.append(Step(kind, project, number, figure))
    return steps


WEIGHTS = {
    "top-up": 3, "hold": 4, "run": 8, "release": 3, "reverse-charge": 2, "rate": 2, "reverse-top-up": 1, "sell": 2,
    "expire": 1, "fees": 1, "close": 1, "state": 1, "confirm": 1, "dispute": 1, "answer": 1, "pay": 1,
}  # fmt: skip
EVERYBODY = (*PLAIN, *PACKAGED, *FRUGAL)
PROJECTS: Mapping[str, Sequence[int]] = {
    "top-up": EVERYBODY, "hold": (*EVERYBODY, *FRUGAL * 5), "run": (*PLAIN, *PACKAGED), "release": EVERYBODY,
    "reverse-charge": (*PLAIN, *PACKAGED), "rate": PACKAGED, "reverse-top-up": PLAIN,
    "sell": (*PACKAGED, *FRUGAL), "expire": PACKAGED, "fees": PACKAGED, "close": PACKAGED, "state": PACKAGED,
    "confirm": PACKAGED, "dispute": PACKAGED, "answer": PACKAGED, "pay": PACKAGED,
}  # fmt: skip


def paid_micro(step: Step) -> int:
    """A payment's number says how much it is; the frugal project has little."""
    return (40_000 if step.project in FRUGAL else 1_000_000) + 7_777 * step.number


def top_up_key(step: Step) -> str:
    return f"{step.project}-{step.number}"


def account(project: int) -> UnixAccount:
    return UnixAccount(f"u{project}")


def job(step: Step) -> str:
    return f"job-{step.project}-{step.number}"


def main(url: str, steps: Sequence[Step], estate: Estate, done: Any) -> None:
    """`done.value` is how many steps are known to be done: a commit that is not counted yet is repeated."""
    asyncio.run(_work(url, steps, estate, done))


async def _work(url: str, steps: Sequence[Step], estate: Estate, done: Any) -> None:
    database = Database.connect(url, pool_size=1)
    while done.value < len(steps):
        for _ in range(TRIES):
            with suppress(Unreachable):
                await take(database, estate, steps[done.value])
                break
        else:
            raise RuntimeError(f"{steps[done.value]} was tried {TRIES} times")
        done.value += 1
    await database.close()


async def take(database: Database, estate: Estate, step: Step) -> None:
    """One transaction; a refusal is an answer too, and nothing of it stays."""
    with suppress(NotEnoughFunds, Conflict):
        async with database.begin() as session:
            await VERBS[step.kind](session, estate, step)


async def _top_up(session: AsyncSession, estate: Estate, step: Step) -> None:
    project, amount = estate.projects[step.project], Money(paid_micro(step))
    await top_up(session, project, amount, key=top_up_key(step), person="op", now=NOW)


async def _hold(session: AsyncSession, estate: Estate, step: Step) -> None:
    price = estate.prices["cpu"]
    amount = Money(step.figure)
    most = Most(price, step.figure // 100, 0, amount) if step.project in PACKAGED else None
    place = Place(price.product_line, EAST, "cpu") if most else None
    await hold(session, estate.projects[step.project], job(step), amount, now=NOW, most=most, place=place)


async def _run(session: AsyncSession, estate: Estate, step: Step) -> None:
    """Of the shared executions the last is a duplicate, the others their jobs'. Some ended in May. The centre changes
    its mind also about the queue."""
    queues = ("cpu", "big", "own") if step.project in PACKAGED else ("cpu",)
    began = MAY if step.number % 3 == 0 else NOW
    read = record(
        f"{step.project}.{step.number}", account=account(step.project),
        queue=queues[(step.number + step.figure) % len(queues)],
        elapsed_seconds=step.figure, submitted_at=began, started_at=began,
        ended_at=began + timedelta(seconds=step.figure),
    )  # fmt: skip
    is_double = step.number == SHARED_RUNS - 1
    claim = Claim(job(step) if step.number < SHARED_RUNS and not is_double else None, is_duplicate=is_double)
    owners = {account(step.project): estate.projects[step.project]}
    got = await collect(session, EAST, [read], owners=owners, claims={key_of(EAST, read): claim}, now=NOW)
    pinned = {job(step): estate.prices["cpu"].id}
    await charge(session, [*got.new, *got.corrected], pinned=pinned, now=NOW)


async def _release(session: AsyncSession, _: Estate, step: Step) -> None:
    other = Step("release", (step.project + 1) % len(EVERYBODY), step.number, 0)
    await release(session, [job(other), job(step)], now=NOW)


async def _reverse_charge(session: AsyncSession, estate: Estate, step: Step) -> None:
    query = """
        SELECT charges.entry_id FROM charges WHERE project_id = :project AND entry_id IS NOT NULL AND NOT is_reversal
         ORDER BY usage_id, revision OFFSET :number LIMIT 1
    """
    values = {"project": estate.projects[step.project], "number": step.figure % 7}
    await _reverse(session, query, values)


async def _rate(session: AsyncSession, estate: Estate, step: Step) -> None:
    """What was taken back is charged anew, now and then at the price that it had."""
    query = text("SELECT usage_id FROM charges WHERE project_id = :project AND is_reversal ORDER BY 1 OFFSET :number")
    values = {"project": estate.projects[step.project], "number": step.figure % 3}
    usage = (await session.scalars(query, values)).first()
    if usage is not None:
        price = [*estate.prices.values()][step.number % len(estate.prices)].id
        await decide_usage(session, UsageId(usage), price, reason="test", person="op", now=NOW)


async def _reverse_top_up(session: AsyncSession, _: Estate, step: Step) -> None:
    await _reverse(session, "SELECT id FROM ledger_entries WHERE key = :key", {"key": f"top-up:{top_up_key(step)}"})


async def _reverse(session: AsyncSession, query: str, values: Mapping[str, object]) -> None:
    entry = (await session.scalars(text(query), values)).one_or_none()
    if entry is not None:
        await reverse(session, EntryId(entry), reason="test", person="op", now=NOW)


async def _sell(session: AsyncSession, estate: Estate, step: Step) -> None:
    """A third are credits, a third end soon."""
    unit = (Unit.CORE_SECOND, Unit.MICRO, Unit.CORE_SECOND)[step.number % 3]
    wanted = Package(
        id=PackageId(UUID(int=(step.project << 32) + step.number)), project=estate.projects[step.project], name="包",
        unit=unit, total=step.figure, used=0, reserved=0, price_micro=0 if unit is Unit.MICRO else step.figure // 3,
        currency="CNY", product_line=None, centre=None, queue=None, valid_from=MAY,
        expires_at=NOW + timedelta(hours=1 if step.number % 3 == 2 else 900),
    )  # fmt: skip
    with suppress(Invalid):  # it was sold before
        await sell_package(session, wanted, person="op", now=NOW)


async def _expire(session: AsyncSession, _: Estate, step: Step) -> None:
    await expire_packages(session, now=NOW + LATE + timedelta(hours=2 if step.number else 0))


async def _fees(session: AsyncSession, _: Estate, __: Step) -> None:
    await post_fees(session, JUNE, now=NOW)


async def _close(session: AsyncSession, _: Estate, __: Step) -> None:
    """What ended in May is charged in June from then on. Usage that waits for a person would keep it open."""
    await close_period(session, PERIOD, person="op", now=NOW)


async def _state(session: AsyncSession, _: Estate, __: Step) -> None:
    await state_settlements(session, PERIOD, person="op", now=NOW)


async def _confirm(session: AsyncSession, _: Estate, __: Step) -> None:
    for one in await settlements_of(session, centre=EAST):
        await confirm(session, one.id, person="east", now=NOW)


async def _dispute(session: AsyncSession, _: Estate, step: Step) -> None:
    lines = await lines_of(session, EAST, PERIOD, day=None)
    for one in (await settlements_of(session, centre=EAST)) if lines else []:
        usage = lines[step.figure % len(lines)].usage
        await open_dispute(session, one.id, usage, reason="ours", person="east", now=NOW)


async def _answer(session: AsyncSession, _: Estate, step: Step) -> None:
    query = text("SELECT id FROM disputes ORDER BY answered_at NULLS FIRST, id LIMIT 1")
    found = (await session.scalars(query)).one_or_none()
    if found is not None:
        more = Money(step.figure % 2000 - 1000)
        said = {"text": "so be it", "adjustment": more, "beyond_charge": True}
        await answer_dispute(session, DisputeId(found), **said, person="op", now=NOW)


async def _pay(session: AsyncSession, _: Estate, __: Step) -> None:
    for one in await settlements_of(session, centre=EAST):
        await pay(session, one.id, payment="T-1", person="op", now=NOW)


VERBS = {
    "top-up": _top_up, "hold": _hold, "run": _run, "release": _release, "reverse-charge": _reverse_charge,
    "rate": _rate, "reverse-top-up": _reverse_top_up, "sell": _sell, "expire": _expire, "fees": _fees, "close": _close,
    "state": _state, "confirm": _confirm, "dispute": _dispute, "answer": _answer, "pay": _pay,
}  # fmt: skip
