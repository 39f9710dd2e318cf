"""`./run bench year`: a year of the market's largest provider, imported, rated, posted, settled and closed.

2.6 thousand million core-hours in 10 million jobs, 100 centres, 30,000 users of 3,000 projects, by a seed. The logs are
written before the clock starts. Then two workers take them in as `usage import` does, while each month that is whole is
held against a recomputation from its logs alone (centre and project, charges, and what is posted to the centres),
closed, and stated to its centres. All constraints and triggers are on, and every commit is on disk.

--jobs N      (10000000)
--seed N      (1)
--workers N   (2)
"""

import argparse
import asyncio
import json
import multiprocessing
import os
import resource
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import text

from benchmarks.parts import audit, market
from benchmarks.parts.figures import say
from benchmarks.parts.provider import Provider, open_provider
from paracloud.billing.check import check, ledger_sum_micro
from paracloud.billing.close_period import close_period
from paracloud.history.carry_out import carry_out_next
from paracloud.kit.clock import SystemClock
from paracloud.kit.cycles import look_seldom
from paracloud.kit.database import Database
from paracloud.kit.identifiers import BlobId
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.migrations.migrate import migrate
from paracloud.settlement.state_settlements import state_settlements

SERVER = {"shared_buffers": "2GB", "max_wal_size": "16GB", "checkpoint_timeout": "15min", "wal_compression": "on"}
"""A server of a provider of that size."""
LOOK_SECONDS = 0.2
LEFT = text("SELECT count(*) FROM imports WHERE name LIKE :month || '%' AND state NOT IN ('done', 'refused')")
REFUSED = text("SELECT name, reason_en FROM imports WHERE state = 'refused'")


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    base = "/var/tmp" if os.getuid() == 0 else None  # noqa: S108  # the database's own account must pass through it
    with tempfile.TemporaryDirectory(prefix="paracloud-bench-", dir=base) as name:
        folder = Path(name)
        folder.chmod(0o755)
        (folder / "logs").mkdir()
        say(f"writing the logs of {asked.jobs} jobs")
        logs = market.write_year(folder / "logs", asked.jobs, asked.seed)
        with EmbeddedPostgres(folder / "server", SERVER) as server:
            migrate(server.url)
            figures = asyncio.run(_measure(server.url, logs, asked.workers))
    told = {"bench": "year", "jobs": asked.jobs, "workers": asked.workers, "server": SERVER}
    print(json.dumps(told | figures), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench year", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--jobs", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--workers", type=int, default=2)
    return parser.parse_args(arguments)


async def _measure(url: str, logs: Sequence[market.Log], workers: int) -> dict[str, object]:
    database = Database.connect(url)
    try:
        provider = await open_provider(database, logs)
        began = time.monotonic()
        await provider.hand_in(database)
        with Workers(url, provider.files, workers) as running:
            wrong = await _close_months(database, provider, logs, running)
        async with database.begin() as session:
            await session.execute(text("SET LOCAL statement_timeout = 0"))
            found, total = await check(session), await ledger_sum_micro(session)
        seconds = time.monotonic() - began
        return {
            "seconds": round(seconds, 1),
            "jobs_per_s": round(sum(one.records for one in logs) / seconds),
            "rss_mib": round(running.peak_mib + _peak_mib(resource.RUSAGE_SELF)),
            "unreconciled": len(wrong) + len(found) + abs(total),
        } | await _figures(database)
    finally:
        await database.close()


async def _close_months(
    database: Database, provider: Provider, logs: Sequence[market.Log], running: "Workers"
) -> list[str]:
    wrong: list[str] = []
    for month in market.months():
        while await _is_open(database, f"{month:%Y-%m}"):
            running.require_alive()
            await asyncio.sleep(LOOK_SECONDS)
        of_month = [one for one in logs if one.month == month]
        owners = {user: str(project) for user, project in provider.owners.items()}
        told = await asyncio.to_thread(
            audit.accounted, of_month, provider.centres, owners, provider.core_hour, provider.card_hour, provider.share
        )
        wrong += await audit.unreconciled(database, month, told)
        async with database.begin() as session:
            await close_period(session, month, person="bench", now=market.now())
            stated = await state_settlements(session, month, person="bench", now=market.now())
        wrong += audit.unstated(month, told, {one.centre: one.share for one in stated})
        say(f"{month:%Y-%m} closed; {len(wrong)} differences so far")
    async with database.begin() as session:
        refused = (await session.execute(REFUSED)).all()
    assert not refused, refused[:3]
    for one in wrong[:5]:
        say(one)
    return wrong


async def _is_open(database: Database, month: str) -> bool:
    async with database.begin() as session:
        return bool((await session.execute(LEFT, {"month": month})).scalar_one())


async def _figures(database: Database) -> dict[str, object]:
    async with database.begin() as session:
        size = (await session.execute(text("SELECT pg_database_size(current_database())"))).scalar_one()
        query = text(
            "SELECT sum(cores * elapsed_seconds) / 3600, count(*), "
            "(SELECT count(*) FROM charges), (SELECT count(*) FROM ledger_entries) FROM usage"
        )
        hours, usages, charges, entries = (await session.execute(query)).one()
    return {
        "database_gib": round(size / 2**30, 2),
        "core_hours": int(hours),
        "usages": usages,
        "charges": charges,
        "entries": entries,
    }


@dataclass
class Workers:
    """Processes that take in what waits, as the server's workers do."""

    url: str
    files: Mapping[str, str]
    count: int
    peak_mib: float = 0.0

    def __enter__(self) -> "Workers":
        fresh = multiprocessing.get_context("spawn")
        self._processes = [fresh.Process(target=_work, args=(self.url, self.files)) for _ in range(self.count)]
        for one in self._processes:
            one.start()
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._processes:
            one.join(60)
            one.kill()
        self.peak_mib = _peak_mib(resource.RUSAGE_CHILDREN) * self.count

    def require_alive(self) -> None:
        assert all(one.exitcode in (None, 0) for one in self._processes), "a worker died"


def _work(url: str, files: Mapping[str, str]) -> None:
    look_seldom()

    async def all_of_them() -> None:
        database = Database.connect(url)

        def where(log: BlobId) -> Path:
            return Path(files[log])

        while await carry_out_next(database, SystemClock(), where):
            pass
        await database.close()

    asyncio.run(all_of_them())


def _peak_mib(who: int) -> float:
    return resource.getrusage(who).ru_maxrss / 1024


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
