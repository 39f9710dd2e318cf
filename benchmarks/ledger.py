"""`./run bench ledger`: how many charges a second the ledger posts, every constraint and trigger on, beside pgbench.

The server is the product's own PostgreSQL with its production settings (every commit is on disk). Usage is metered
before the clock starts; then it is charged through billing's one way: price, share, one balanced entry, the balances of
all accounts. `pgbench_tps` is PostgreSQL's own TPC-B on the same server. One client in each case.

--charges N   in batches (60000)
--batch N     charges in a transaction (2000)
--seconds N   for how long single charges, and pgbench, are measured (10)
"""

import argparse
import asyncio
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sqlalchemy import text

from benchmarks.parts.books import Books, open_books
from benchmarks.parts.figures import say
from paracloud.billing.charge import charge
from paracloud.billing.check import check, ledger_sum_micro
from paracloud.kit.cycles import look_seldom
from paracloud.kit.database import Database
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.kit.postgres_binaries import binaries
from paracloud.metering.usage import Usage
from paracloud.migrations.migrate import migrate

TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
PGBENCH_SCALE = 10


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    base = "/var/tmp" if os.getuid() == 0 else None  # noqa: S108  # the database's own account must pass through it
    with tempfile.TemporaryDirectory(prefix="paracloud-bench-", dir=base) as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder)) as server:
            migrate(server.url)
            figures = asyncio.run(_measure(server.url, asked))
            say("pgbench's TPC-B on the same server")
            figures["pgbench_tps"] = _pgbench(server, asked.seconds)
    print(json.dumps({"bench": "ledger", "charges": asked.charges, "batch": asked.batch} | figures), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench ledger", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--charges", type=int, default=60_000)
    parser.add_argument("--batch", type=int, default=2_000)
    parser.add_argument("--seconds", type=int, default=10)
    return parser.parse_args(arguments)


async def _measure(url: str, asked: argparse.Namespace) -> dict[str, float]:
    async with _database(url) as database:
        books = await open_books(database)
        say(f"metering {asked.charges} usages")
        sizes = [min(asked.batch, asked.charges - at) for at in range(0, asked.charges, asked.batch)]
        batches = [await books.meter(size) for size in sizes]
        look_seldom()  # as the server's workers do
        say("charging them in batches")
        batched = await _batched(database, books, batches)
        say("one charge a commit")
        more = await books.meter(asked.seconds * 400)
        single = await _single(database, books, more, asked.seconds)
        await _batched(database, books, [more])  # those that the clock left
        async with database.begin() as session:
            wrong, total = await check(session), await ledger_sum_micro(session)
            charged = (await session.execute(text("SELECT count(*) FROM charges"))).scalar_one()
    assert (len(wrong), total, charged >= asked.charges) == (0, 0, True), (wrong[:3], total, charged)
    return {"batched_per_s": round(batched), "single_per_s": round(single)}


@asynccontextmanager
async def _database(url: str) -> AsyncIterator[Database]:
    database = Database.connect(url)
    try:
        yield database
    finally:
        await database.close()


async def _batched(database: Database, books: Books, batches: Sequence[Sequence[Usage]]) -> float:
    began = time.monotonic()
    for batch in batches:
        async with database.begin() as session:
            await charge(session, batch, pinned={}, now=books.now)
    return sum(map(len, batches)) / (time.monotonic() - began)


async def _single(database: Database, books: Books, usages: Sequence[Usage], seconds: float) -> float:
    began, done = time.monotonic(), 0
    for usage in usages:
        async with database.begin() as session:
            await charge(session, [usage], pinned={}, now=books.now)
        done += 1
        if time.monotonic() - began > seconds:
            break
    return done / (time.monotonic() - began)


def _pgbench(server: EmbeddedPostgres, seconds: int) -> float:
    """One client, as above."""
    program, place = str(binaries() / "pgbench"), urlsplit(server.url)
    reached = {
        "PGHOST": str(server.folder / "socket"),
        "PGUSER": place.username or "",
        "PGPASSWORD": unquote(place.password or ""),
        "PGDATABASE": "postgres",
    }
    environment = dict(os.environ) | reached
    for words in (["-q", "-i", "-s", str(PGBENCH_SCALE)], ["-n", "-c", "1", "-T", str(seconds)]):
        done = subprocess.run([program, *words], env=environment, check=True, capture_output=True, text=True)
    said = done.stdout
    found = TPS.search(said)
    assert found is not None, said
    return round(float(found[1]), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
