"""`./run bench statement`: an organisation's month as each of its files, with how long and how much memory it takes.

Each file is written by a process of its own, as the server writes it, line by line; its memory is that process's peak.
`copy_s` is how long PostgreSQL's own COPY takes to write the same charges, as they are, as CSV.

--charges N   in the month (100000)
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
from collections.abc import Sequence
from datetime import date
from multiprocessing.connection import Connection
from pathlib import Path
from uuid import UUID

from sqlalchemy import text

from benchmarks.parts.books import NOW, open_books
from benchmarks.parts.figures import say
from paracloud.billing.charge import charge
from paracloud.kit.database import Database
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.migrations.migrate import migrate
from paracloud.statements.payers import any_payer
from paracloud.statements.statement import PayerKind
from paracloud.statements.words import Language
from paracloud.statements.write_statement import Format, write_statement

BATCH = 5000


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="run bench statement", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--charges", type=int, default=100_000)
    asked = parser.parse_args(arguments)
    base = "/var/tmp" if os.getuid() == 0 else None  # noqa: S108  # the database's own account must pass through it
    with tempfile.TemporaryDirectory(prefix="paracloud-bench-", dir=base) as name:
        folder = Path(name)
        folder.chmod(0o755)
        with EmbeddedPostgres(folder / "server") as server:
            migrate(server.url)
            say(f"charging {asked.charges} usages")
            organisation, copy_seconds = asyncio.run(_month(server.url, asked.charges))
            figures = {form.value: _written(server.url, organisation, form, folder) for form in Format}
    told = {"bench": "statement", "charges": asked.charges, "copy_s": round(copy_seconds, 2)}
    print(json.dumps(told | figures), flush=True)
    return 0


async def _month(url: str, count: int) -> tuple[UUID, float]:
    database = Database.connect(url)
    books = await open_books(database)
    for at in range(0, count, BATCH):
        usages = await books.meter(min(BATCH, count - at))
        async with database.begin() as session:
            await charge(session, usages, pinned={}, now=books.now)
    async with database.begin() as session:
        organisation = (await session.execute(text("SELECT id FROM organisations"))).scalar_one()
        driver = (await (await session.connection()).get_raw_connection()).driver_connection
        assert driver is not None
        began = time.monotonic()
        await driver.copy_from_query("SELECT * FROM charges", output=os.devnull, format="csv")
        seconds = time.monotonic() - began
    await database.close()
    return UUID(str(organisation)), seconds


def _written(url: str, organisation: UUID, form: Format, folder: Path) -> dict[str, float]:
    say(f"writing {form.value}")
    answers, answer = multiprocessing.Pipe(duplex=False)
    words = (url, organisation, form, folder / f"month.{form.value}", answer)
    writing = multiprocessing.get_context("spawn").Process(target=_write, args=words)
    writing.start()
    answer.close()  # so that its end is seen here
    seconds, mib = answers.recv()
    writing.join()
    size = (folder / f"month.{form.value}").stat().st_size
    return {"seconds": round(seconds, 2), "rss_mib": round(mib, 1), "file_mib": round(size / 2**20, 2)}


def _write(url: str, organisation: UUID, form: Format, path: Path, answer: Connection) -> None:
    began = time.monotonic()
    asyncio.run(_statement(url, organisation, form, path))
    answer.send((time.monotonic() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024))


async def _statement(url: str, organisation: UUID, form: Format, path: Path) -> None:
    database = Database.connect(url)
    async with database.begin() as session:
        payer = await any_payer(session, PayerKind.ORGANISATION, organisation)
        draft = await write_statement(
            session, payer, date(NOW.year, NOW.month, 1), form, Language.EN, path, provider="Bench", now=NOW
        )
    draft.finish()
    await database.close()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
