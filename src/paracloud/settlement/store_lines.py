"""Every query on the charges below a statement. What a charge was for is read from the revision that it charged, so
that the lines of a closed month never change."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import Row, text
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.kit.identifiers import CentreName, ContractId, UsageId

CHARGED = """
      FROM charges AS charge
      JOIN usage ON usage.id = charge.usage_id
      JOIN usage_revisions AS seen ON (seen.usage_id, seen.revision) = (charge.usage_id, charge.revision)
     CROSS JOIN LATERAL (SELECT seen.measured->>'queue' AS queue, (seen.measured->>'ended_at')::timestamptz AS ended_at,
                                (seen.measured->>'cores')::bigint AS cores, (seen.measured->>'gpus')::bigint AS cards,
                                (seen.measured->>'elapsed_seconds')::bigint AS seconds,
                                COALESCE(seen.measured->'resources', '{}') AS resources OFFSET 0) AS now
      LEFT JOIN LATERAL (
           SELECT CASE WHEN earlier.is_reversal THEN 0 ELSE (had.measured->>'elapsed_seconds')::bigint END AS seconds,
                  (had.measured->>'cores')::bigint AS cores, (had.measured->>'gpus')::bigint AS cards
             FROM charges AS earlier
             JOIN usage_revisions AS had ON (had.usage_id, had.revision) = (earlier.usage_id, earlier.revision)
            WHERE charge.revision > 1 AND NOT charge.is_reversal
              AND earlier.usage_id = charge.usage_id AND earlier.revision < charge.revision
            ORDER BY earlier.revision DESC, earlier.is_reversal DESC LIMIT 1) AS before ON true
     CROSS JOIN LATERAL (SELECT CASE WHEN charge.is_reversal THEN -1 ELSE 1 END AS sign OFFSET 0) AS as_
     WHERE charge.period = :period AND usage.centre = :centre
"""
"""A correction adds what the last revision that was charged did not have; a reversal stands under the newest revision
and takes back the whole of it."""
CORE_SECONDS = "as_.sign * now.cores * now.seconds - COALESCE(before.cores * before.seconds, 0)"
CARD_SECONDS = "as_.sign * now.cards * now.seconds - COALESCE(before.cards * before.seconds, 0)"
DAYS = text(f"""
    SELECT (now.ended_at AT TIME ZONE 'UTC')::date AS day, now.queue, count(*) AS charges,
           sum({CORE_SECONDS})::bigint AS core_seconds, sum({CARD_SECONDS})::bigint AS card_seconds,
           sum(charge.amount_micro)::bigint AS gross, sum(charge.share_micro)::bigint AS share
           {CHARGED} GROUP BY 1, 2 ORDER BY 1, 2
""")
LINES = text(f"""
    SELECT charge.usage_id, charge.revision, charge.is_reversal, charge.contract_id, usage.record_id, usage.account,
           now.queue, now.ended_at, now.cores, now.cards AS gpus, now.resources,
           now.seconds AS elapsed_seconds, {CORE_SECONDS} AS core_seconds, {CARD_SECONDS} AS card_seconds,
           charge.amount_micro, charge.share_micro
           {CHARGED}
       AND (charge.usage_id, charge.revision, charge.is_reversal) > (:usage, :revision, :is_reversal)
       AND now.ended_at >= :start AND now.ended_at < :end
     ORDER BY charge.usage_id, charge.revision, charge.is_reversal LIMIT :limit
""")

SUMS = text("""
    SELECT greatest(sum(charge.amount_micro) FILTER (WHERE charge.amount_micro > 0),
                    -sum(charge.amount_micro) FILTER (WHERE charge.amount_micro < 0), 0)::bigint AS most
      FROM charges AS charge JOIN usage ON usage.id = charge.usage_id
     WHERE charge.period = :period AND usage.centre = :centre AND usage.id = :usage
    HAVING count(*) > 0
""")


class Key(NamedTuple):
    """Of a charge: where a page goes on."""

    usage: UsageId
    revision: int
    is_reversal: bool


FIRST = Key(UsageId(UUID(int=0)), 0, is_reversal=False)
"""Before all."""


@dataclass(frozen=True, slots=True)
class Day:
    """What ended on a day (UTC) in a queue: whole seconds, less those that corrections and reversals took back;
    micro-units of what it cost (`gross`) and of the centre's share."""

    day: date
    queue: str
    count: int
    core_seconds: int
    card_seconds: int
    gross: int
    share: int


@dataclass(frozen=True, slots=True)
class Line:
    """One charge as its centre may see it: the centre's own names, what it cost and the centre's share; no customer.
    `cores` to `elapsed_seconds` are the record's as this revision has them, `core_seconds` and `card_seconds` what the
    charge adds to those before: those of a correction are a difference, those of a reversal negative."""

    usage: UsageId
    revision: int
    is_reversal: bool
    contract: ContractId
    record_id: str
    account: str
    queue: str
    ended_at: datetime
    cores: int
    gpus: int
    resources: Mapping[str, int]
    elapsed_seconds: int
    core_seconds: int
    card_seconds: int
    gross: int
    share: int

    @property
    def key(self) -> Key:
        return Key(self.usage, self.revision, self.is_reversal)


async def days(session: AsyncSession, centre: CentreName, period: date) -> list[Day]:
    rows = (await session.execute(DAYS, {"centre": centre, "period": period})).all()
    return [
        Day(row.day, row.queue, row.charges, row.core_seconds, row.card_seconds, row.gross, row.share) for row in rows
    ]


async def lines(
    session: AsyncSession,
    centre: CentreName,
    period: date,
    span: tuple[datetime, datetime],
    *,
    after: Key,
    limit: int,
) -> list[Line]:
    values = {"centre": centre, "period": period, "start": span[0], "end": span[1], "limit": limit}
    rows = (await session.execute(LINES, {**values, **after._asdict()})).all()
    return _lines(rows)


async def most_of(session: AsyncSession, centre: CentreName, period: date, usage: UsageId) -> int | None:
    """What the customer was charged for the usage in that month, or, where that is more, what was given back of it;
    micro-units. None where it is on no line."""
    values = {"centre": centre, "period": period, "usage": usage}
    found = (await session.execute(SUMS, values)).scalar_one_or_none()
    return None if found is None else int(found)


def _lines(rows: Sequence[Row[*tuple[Any, ...]]]) -> list[Line]:
    return [Line(UsageId(row.usage_id), *row[1:]) for row in rows]
