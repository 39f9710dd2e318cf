"""`./run bench rate`: millions of usage records rated and summed by project and day with DuckDB, from a Parquet file.

After the clock, each record is rated again by the ledger's own arithmetic (billing.rate); `difference_micro` is the sum
of the absolute differences of all sums.

--records N   (10000000)
--seed N      of the generator (1)
"""

import argparse
import json
import multiprocessing
import resource
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from decimal import Decimal
from pathlib import Path
from uuid import UUID

import duckdb

from benchmarks.parts.figures import say
from paracloud.billing.rate import Price, rate
from paracloud.billing.rate_sql import amount_sql, billionths_sql
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import PriceVersionId

PROJECTS, PRICES, DAYS = 3000, 300, 365
MEMORY, THREADS, PART = "200MB", 2, 500_000
USAGE, TARIFF = "usage.parquet", "prices.parquet"
AMOUNT = amount_sql("cores * seconds::BIGINT", "gpus * seconds::BIGINT", "core_hour", "card_hour")
TARIFF_SQL = f"""
    SELECT id, {billionths_sql("core_hour")} AS core_hour, {billionths_sql("card_hour")} AS card_hour
      FROM read_parquet(?)
"""  # noqa: S608  # the expressions are ours
SUMS = f"""
    SELECT project, day, sum({AMOUNT})::HUGEINT AS micro
      FROM read_parquet(?) AS used JOIN ({TARIFF_SQL}) AS tariff ON tariff.id = used.price GROUP BY project, day
"""  # noqa: S608

Sums = Counter[tuple[int, int]]


def main(arguments: Sequence[str]) -> int:
    asked = _asked(arguments)
    with tempfile.TemporaryDirectory(prefix="paracloud-bench-") as name:
        folder = Path(name)
        say(f"writing {asked.records} records")
        _generate(folder, asked.records, asked.seed)
        fresh = multiprocessing.get_context("spawn")
        with ProcessPoolExecutor(1, mp_context=fresh) as alone:
            seconds, rss_mib, found = alone.submit(_rated, folder).result()
        say(f"rated in {seconds:.2f} s; now one by one by the ledger's arithmetic")
        truth: Sums = Counter()
        with ProcessPoolExecutor(THREADS, mp_context=fresh) as pool:
            starts = range(0, asked.records, PART)
            for part in pool.map(_one_by_one, [folder] * len(starts), starts):
                truth.update(part)
    difference = sum(abs(found[place] - truth[place]) for place in found.keys() | truth.keys())
    figures = {"seconds": round(seconds, 2), "rss_mib": rss_mib, "difference_micro": difference}
    more = {"records": asked.records, "sums": len(found), "total_micro": sum(found.values())}
    print(json.dumps({"bench": "rate"} | figures | more), flush=True)
    return 0


def _asked(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="run bench rate", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--records", type=int, default=10_000_000)
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args(arguments)


def _open() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    connection.execute(f"SET memory_limit = '{MEMORY}'; SET threads = {THREADS}; SET enable_progress_bar = false")
    return connection


def _generate(folder: Path, records: int, seed: int) -> None:
    """From hashes of a running number: the same seed, the same records, whatever the number of threads."""
    with _open() as connection:
        used = f"""
            SELECT number,
                   (hash(number, {seed}, 1) % {PROJECTS})::INTEGER AS project,
                   (hash(number, {seed}, 2) % {PRICES})::INTEGER AS price,
                   (number * {DAYS} // {records})::INTEGER AS day,
                   (1 + hash(number, {seed}, 3) % 512)::INTEGER AS cores,
                   (hash(number, {seed}, 4) % 9 // 8 * 8)::INTEGER AS gpus,
                   (hash(number, {seed}, 5) % 86400)::INTEGER AS seconds
              FROM range({records}) AS numbers(number)
        """  # noqa: S608  # numbers of ours
        tariff = f"""
            SELECT number::INTEGER AS id,
                   (hash(number, {seed}, 6) % 1000000000 * 0.000000001::DECIMAL(18, 9))::DECIMAL(18, 9) AS core_hour,
                   (hash(number, {seed}, 7) % 9000000000 * 0.000000001::DECIMAL(18, 9))::DECIMAL(18, 9) AS card_hour
              FROM range({PRICES}) AS numbers(number)
        """  # noqa: S608
        connection.sql(used).write_parquet(str(folder / USAGE))
        connection.sql(tariff).write_parquet(str(folder / TARIFF))


def _rated(folder: Path) -> tuple[float, float, Sums]:
    """In a process of its own, whose peak is reported."""
    with _open() as connection:
        began = time.monotonic()
        rows = connection.execute(SUMS, [str(folder / USAGE), str(folder / TARIFF)]).fetchall()
        seconds = time.monotonic() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return seconds, round(peak, 1), Counter({(project, day): int(micro) for project, day, micro in rows})


def _one_by_one(folder: Path, start: int) -> Sums:
    query = "SELECT project, day, price, cores, gpus, seconds FROM read_parquet(?) WHERE number >= ? AND number < ?"
    sums: Sums = Counter()
    with _open() as connection:
        prices = {
            number: Price(PriceVersionId(UUID(int=number)), ProductLine.GENERAL, Decimal(core), Decimal(card), "CNY")
            for number, core, card in connection.execute("FROM read_parquet(?)", [str(folder / TARIFF)]).fetchall()
        }
        rows = connection.execute(query, [str(folder / USAGE), start, start + PART])
        while some := rows.fetchmany(10_000):
            for project, day, price, cores, gpus, seconds in some:
                sums[project, day] += rate(cores * seconds, gpus * seconds, prices[price], 0).amount.micro
    return sums


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
