"""Eight processes at the same books, killed in the middle of what they do and started again: every invariant stands."""

import asyncio
import multiprocessing
import re
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any

import pytest
from sqlalchemy import text
from tests.paracloud.billing import clients
from tests.paracloud.billing.builders import CORE_HOUR, EAST, NOW, world
from tests.paracloud.billing.clients import CLIENTS, EVERYBODY, FRUGAL, LINE_MICRO, PLAIN, SHARED_RUNS, Estate, Step

from paracloud.billing import store
from paracloud.billing.check import check, ledger_sum_micro
from paracloud.billing.contract import Lent, add_contract
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.entry import held, wallet
from paracloud.billing.funding import Funding, set_funding
from paracloud.billing.hold import release
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price
from paracloud.billing.tiers import Tier, Tiers
from paracloud.billing.top_up import top_up
from paracloud.identity.create_project import create_project
from paracloud.identity.product_line import ProductLine
from paracloud.kit.database import Database
from paracloud.kit.identifiers import OrganisationId, PriceVersionId, new_uuid
from paracloud.kit.money import Money
from paracloud.kit.postgres import EmbeddedPostgres

STEPS, KILLS = 24, 3
"""Of each client."""
FIRST_MICRO = 10_000_000
TIERS = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal("0.05"), Decimal("0.5"))))
DAY = timedelta(days=1)


async def estate_of(database: Database) -> Estate:
    opened = await world(database, money="0")
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects WHERE id = :id")
        organisation = OrganisationId((await session.execute(query, {"id": opened.project})).scalar_one())
        projects = [await create_project(session, organisation, f"组{number}", now=NOW) for number in EVERYBODY]
        tiered = Price(
            PriceVersionId(new_uuid()), "industry", Decimal("0.2"), Decimal(0), "CNY", organisation=organisation,
            tiers=TIERS,
        )  # fmt: skip
        own = Price(PriceVersionId(new_uuid()), ProductLine.GENERAL, CORE_HOUR, Decimal(0), "CNY")
        await add_price(session, EAST, "big", tiered, person="op", now=NOW, valid_from=NOW - DAY)
        await add_price(session, EAST, "own", own, person="op", now=NOW, valid_from=NOW - DAY)
        await set_funding(session, projects[FRUGAL[0]], Funding(line=Money(LINE_MICRO)))
        fee = Dedication(
            new_dedication_id(), projects[2], EAST, "own", 1, Money.parse("1"), 5000, NOW - DAY, None,
        )  # fmt: skip
        await dedicate(session, fee, person="op", now=NOW, is_unseen=True)
        lent = Lent(projects[3], 5000)
        await add_contract(session, EAST, 2000, person="op", now=NOW, valid_from=NOW - DAY, queue="big", lent=lent)
        for project in projects[:4]:
            await top_up(session, project, Money(FIRST_MICRO), key=f"first-{project}", person="op", now=NOW)
    return Estate(tuple(projects), {"cpu": opened.price, "big": tiered, "own": own})


@dataclass
class Client:
    """A process, and how far it has come; `deaths` are the steps at which it is killed, with the pause after that."""

    url: str
    estate: Estate
    steps: list[Step]
    deaths: list[tuple[int, float]]
    process: Any = None
    done: Any = field(default_factory=lambda: CONTEXT.RawValue("i", 0))

    def start(self) -> None:
        arguments = (self.url, self.steps, self.estate, self.done)
        self.process = CONTEXT.Process(target=clients.main, args=arguments, daemon=True)
        self.process.start()

    async def live(self) -> None:
        """To the end of its steps, through all of its deaths."""
        self.start()
        while self.process.exitcode is None or self.deaths:
            if self.process.exitcode is not None:
                assert self.process.exitcode == 0, f"a client ended by itself: {self.process.exitcode}"
                return
            if self.deaths and self.done.value >= self.deaths[0][0]:
                await asyncio.sleep(self.deaths.pop(0)[1])
                self.process.kill()
                await asyncio.to_thread(self.process.join)
                self.start()
            await asyncio.sleep(0.001)
        assert self.process.exitcode == 0


CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["__main__", clients.__name__])


def crowd(url: str, estate: Estate, seed: int) -> list[Client]:
    random = Random(seed)
    found = []
    for number in range(CLIENTS):
        deaths = sorted((random.randrange(STEPS - 1), random.uniform(0, 0.03)) for _ in range(KILLS))
        found.append(Client(url, estate, clients.steps_of(seed, number, STEPS), deaths))
    return found


async def watch(database: Database, estate: Estate) -> None:
    """Until cancelled: at no moment is the frugal project's wallet below its line, or the ledger not at zero."""
    while True:
        async with database.begin() as session:
            assert await store.balance(session, wallet(estate.projects[FRUGAL[0]])) >= -LINE_MICRO
            assert await ledger_sum_micro(session) == 0
        await asyncio.sleep(0.05)


@pytest.mark.parametrize("seed", [1, 3])
async def test_clients_that_are_killed_and_start_again_leave_every_invariant_true(
    database: Database, database_url: str, server: EmbeddedPostgres | None, seed: int
) -> None:
    estate = await estate_of(database)
    already = len(said(server))
    workers = crowd(database_url, estate, seed)
    watching = asyncio.create_task(watch(database, estate))
    try:
        async with asyncio.timeout(120):
            await asyncio.gather(*(one.live() for one in workers))
    finally:
        for one in workers:
            one.process.kill()
        watching.cancel()
    with pytest.raises(asyncio.CancelledError):
        await watching
    await assert_sound(database, estate, [step for one in workers for step in one.steps])
    log = said(server)[already:]
    assert log.count("deadlock detected") == 0, log
    if server is not None:
        assert re.search("unexpected EOF on client connection with an open transaction", log), "none died within one"


def said(server: EmbeddedPostgres | None) -> str:
    return "" if server is None else Path(server.folder / "postgres.log").read_text(errors="replace")


async def assert_sound(database: Database, estate: Estate, steps: list[Step]) -> None:
    async with database.begin() as session:
        assert await check(session) == []
        assert await ledger_sum_micro(session) == 0
    for number in PLAIN:
        await assert_as_told(database, estate, number, [step for step in steps if step.project == number])
    async with database.begin() as session:
        await release(session, sorted({clients.job(step) for step in steps}), now=NOW)
        assert await check(session) == []
        for project in estate.projects:
            assert await store.balance(session, held(project)) == 0


USED = text("""
    SELECT split_part(usage.record_id, '.', 2)::int AS number, usage.elapsed_seconds, usage.is_duplicate,
           bool_or(charges.is_reversal) AS is_reversed, sum(charges.amount_micro) AS net
      FROM usage JOIN charges ON charges.usage_id = usage.id WHERE usage.project_id = :project GROUP BY usage.id
""")
KEPT = text("""
    SELECT entry.key FROM ledger_entries AS entry WHERE entry.kind = 'top-up'
       AND NOT EXISTS (SELECT 1 FROM ledger_entries AS back WHERE back.key = 'reverse:' || entry.id)
""")


async def assert_as_told(database: Database, estate: Estate, number: int, steps: list[Step]) -> None:
    """By a model without entries: what was paid in and not taken back, less what was used. Of an execution
    that only one client reads, its last figures count; of the others, those that are kept."""
    project = estate.projects[number]
    async with database.begin() as session:
        rows = (await session.execute(USED, {"project": project})).all()
        kept = set((await session.scalars(KEPT)).all())
        both = await store.balance(session, wallet(project)) + await store.balance(session, held(project))
    last = {step.number: step.figure for step in steps if step.kind == "run"}
    assert {row.number for row in rows} == last.keys()
    for row in rows:
        assert row.number < SHARED_RUNS or row.elapsed_seconds == last[row.number]
        cost = round(4 * row.elapsed_seconds * Fraction(CORE_HOUR) * 10**6 / 3600)
        assert row.net == (0 if row.is_reversed else cost)
    paid = {f"top-up:{clients.top_up_key(step)}": clients.paid_micro(step) for step in steps if step.kind == "top-up"}
    paid[f"top-up:first-{project}"] = FIRST_MICRO
    assert both == sum(paid[key] for key in paid.keys() & kept) - sum(
        int(row.net) for row in rows if not row.is_duplicate
    )
