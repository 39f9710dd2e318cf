"""A month recomputed from the centres' logs alone, by DuckDB, and held against the charges and the ledger."""

from collections.abc import Mapping, Sequence
from datetime import date
from decimal import Decimal

import duckdb
from sqlalchemy import text

from benchmarks.parts.market import Log
from paracloud.billing.rate_sql import amount_sql, share_sql
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName

CHARGED = text("""
    SELECT usage.centre, charges.project_id::text, count(*), sum(charges.amount_micro), sum(charges.share_micro)
      FROM charges JOIN usage ON usage.id = charges.usage_id WHERE charges.period = :month GROUP BY 1, 2
""")
POSTED = text("""
    SELECT substr(account.code, 9), sum(posting.micro) FROM ledger_postings AS posting
      JOIN ledger_accounts AS account ON account.id = posting.account_id AND account.code LIKE 'payable:%'
     WHERE posting.entry_id IN (SELECT entry_id FROM charges WHERE period = :month) GROUP BY 1
""")
ACCOUNTED = """
    WITH lines AS (SELECT string_split(line, '|') AS f, centre FROM read_csv($files, header = false, delim = '\x01',
                     quote = '', escape = '', columns = {{'line': 'VARCHAR'}}, filename = true) AS r
                     JOIN (SELECT unnest($files) AS filename, unnest($centres) AS centre) USING (filename)),
         used AS (SELECT centre, f[9] AS user_, f[19]::HUGEINT AS cores, f[4] AS queue,
                         date_diff('second', f[13]::TIMESTAMP, f[14]::TIMESTAMP)::HUGEINT AS seconds,
                         coalesce(try_cast(nullif(regexp_extract(f[23], 'gres/gpu=(\\d+)', 1), '') AS HUGEINT), 0)
                           AS gpus
                    FROM lines),
         rated AS (SELECT centre, user_, {amount} AS micro FROM used)
    SELECT centre, owner, count(*), sum(micro)::HUGEINT, sum({share})::HUGEINT
      FROM rated JOIN (SELECT unnest($users) AS user_, unnest($owners) AS owner) USING (user_) GROUP BY 1, 2
"""


def accounted(
    logs: Sequence[Log], names: Sequence[str], owners: dict[str, str], core: Decimal, card: Decimal, share: int
) -> dict[tuple[str, str], tuple[int, int, int]]:
    """(records, amount, share) in micro-units by centre and project."""
    whole = [int(price * 10**9) for price in (core, card)]
    amount = amount_sql("cores * seconds", "gpus * seconds", str(whole[0]), str(whole[1]))
    query = ACCOUNTED.format(amount=amount, share=share_sql("micro", str(share)))
    with duckdb.connect() as link:
        link.execute("SET memory_limit = '1GB'; SET threads = 2")
        rows = link.execute(
            query,
            {
                "files": [str(one.file) for one in logs],
                "centres": [names[one.centre] for one in logs],
                "users": list(owners),
                "owners": list(owners.values()),
            },
        ).fetchall()
    return {(centre, owner): (count, amount_, share_) for centre, owner, count, amount_, share_ in rows}


async def unreconciled(database: Database, month: date, told: dict[tuple[str, str], tuple[int, int, int]]) -> list[str]:
    """Every centre and project whose three books differ, by name."""
    async with database.begin() as session:
        await session.execute(text("SET LOCAL statement_timeout = 0"))
        rows = (await session.execute(CHARGED, {"month": month})).all()
        posted = {centre: int(micro) for centre, micro in (await session.execute(POSTED, {"month": month})).all()}
    charged = {(centre, owner): (count, int(amount), int(share)) for centre, owner, count, amount, share in rows}
    wrong = [f"{month} {key}: {told.get(key)} accounted, {charged.get(key)} charged"
             for key in sorted(told.keys() | charged.keys()) if told.get(key) != charged.get(key)]  # fmt: skip
    settled = _shares(told)
    wrong += [
        f"{month} {centre}: {settled.get(centre)} due, {posted.get(centre)} posted"
        for centre in sorted(settled.keys() | posted.keys())
        if settled.get(centre) != posted.get(centre)
    ]
    return wrong


def unstated(
    month: date, told: dict[tuple[str, str], tuple[int, int, int]], stated: Mapping[CentreName, int]
) -> list[str]:
    """Every centre whose statement is not what its logs come to."""
    due = _shares(told)
    return [
        f"{month} {centre}: {due.get(centre)} due, {stated.get(CentreName(centre))} stated"
        for centre in sorted(due.keys() | stated.keys())
        if due.get(centre) != stated.get(CentreName(centre))
    ]


def _shares(told: dict[tuple[str, str], tuple[int, int, int]]) -> dict[str, int]:
    found: dict[str, int] = {}
    for (centre, _), (_, _, share) in told.items():
        found[centre] = found.get(centre, 0) + share
    return found
