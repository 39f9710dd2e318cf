"""A year of a market's largest provider, made by a seed: accounting logs of many centres, as sacct writes them.

The logs are DuckDB's work: a record is a hash of its number, so any part of the year is the same whoever makes it when.
The jobs have 260 core-hours on average, 1 to 512 cores, up to five hours; a tenth has cards; users work at one centre.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path

import duckdb

from benchmarks.parts.figures import say
from paracloud.billing.period import begins, month_after

CENTRES, USERS, PROJECTS, MONTHS = 100, 30_000, 3_000, 12
USERS_A_CENTRE, USERS_A_PROJECT = USERS // CENTRES, USERS // PROJECTS
FIRST = date(2025, 1, 1)
MEAN_CORE_HOURS = 260
LINES = """
    COPY (
      WITH drawn AS (
        SELECT $first + n AS id, hash($first + n, $seed) AS h, hash($first + n, $seed, 'when') AS w
          FROM range($count) AS r(n)
      ), shaped AS (
        SELECT id, h % {users}::UBIGINT + $centre * {users} AS user_, 1 << ((h >> 8) % 10)::INT AS cores,
               60 + ((h >> 20) % 18200)::INT AS seconds, (h >> 40) % 10 = 0 AS has_cards,
               10 + ((h >> 48) % 3600)::INT AS waits,
               $month::TIMESTAMP + to_seconds((w % $span::UBIGINT)::INT) AS ended
          FROM drawn
      )
      SELECT concat_ws('|', id, id, 'c', CASE WHEN has_cards THEN 'gpu' ELSE 'cpu' END, 'normal',
               'p' || (user_ // {mates}), 'staff', 100, 'u' || user_, 1000,
               stamp(ended - to_seconds(seconds + waits)), stamp(ended - to_seconds(seconds + waits)),
               stamp(ended - to_seconds(seconds)), stamp(ended),
               printf('%02d:%02d:%02d', seconds // 3600, seconds // 60 % 60, seconds % 60), '0:0', 'COMPLETED',
               (cores + 63) // 64, cores, cores, '4Gc', 'cpu=' || cores,
               printf('billing=%d,cpu=%d,mem=%dG,node=%d', cores, cores, cores * 4, (cores + 63) // 64)
                 || CASE WHEN has_cards THEN ',gres/gpu=' || (1 + cores // 64) ELSE '' END,
               '2-00:00:00', 'n[1-9]', 'job' || (id % 1000))
        FROM shaped ORDER BY ended
    ) TO '{file}' (FORMAT csv, HEADER false, DELIMITER '\x01', QUOTE '', ESCAPE '')
"""
STAMP = "CREATE MACRO stamp(moment) AS strftime(moment, '%Y-%m-%dT%H:%M:%S')"


@dataclass(frozen=True)
class Log:
    """What ended at a centre in a month."""

    file: Path
    centre: int
    month: date
    records: int


def months() -> Iterator[date]:
    month = FIRST
    for _ in range(MONTHS):
        yield month
        month = month_after(month)


def write_year(folder: Path, jobs: int, seed: int) -> list[Log]:
    """The logs, month by month."""
    link = duckdb.connect()
    link.execute(STAMP)
    logs, first = [], 1
    for at, month in enumerate(months()):
        for centre in range(CENTRES):
            number = at * CENTRES + centre
            count = jobs * (number + 1) // (MONTHS * CENTRES) - jobs * number // (MONTHS * CENTRES)
            file = folder / f"{month:%Y-%m}-c{centre:03d}.log"
            span = int((begins(month_after(month)) - begins(month)).total_seconds())
            query = LINES.format(users=USERS_A_CENTRE, mates=USERS_A_PROJECT, file=file)
            values = {"first": first, "count": count, "seed": seed, "centre": centre, "month": month, "span": span}
            link.execute(query, values)
            logs.append(Log(file, centre, month, count))
            first += count
        say(f"  {month:%Y-%m} written")
    return logs


def now() -> datetime:
    """When the year is over."""
    return datetime(FIRST.year + 1, 2, 1, tzinfo=UTC)
