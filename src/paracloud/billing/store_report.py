"""The query of usage reports: the rules of `metering.report`, for what is stored. OFFSET 0 keeps each second from being
computed anew wherever it is named."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, time
from typing import Any

from sqlalchemy import Row, TextClause, Uuid, bindparam, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.kit.identifiers import ProjectId
from paracloud.metering.report import By

EPOCH = date(1970, 1, 1)
TIMES = {By.DAY: "YYYY-MM-DD", By.MONTH: "YYYY-MM"}
NAMES = {
    By.CENTRE: "one.centre",
    By.QUEUE: "one.queue",
    By.PROJECT: "projects.name",
    By.USER: "COALESCE(users.login, one.account)",
    By.PRODUCT_LINE: "COALESCE(rated.product_line, 'unrated')",
}
JOINS = {
    By.PROJECT: "JOIN projects ON projects.id = one.project_id",
    # A job of the platform runs under an account of its project; whose it is, its hold knows.
    By.USER: "LEFT JOIN holds ON holds.reference = one.reference LEFT JOIN users ON users.id = holds.user_id",
    By.PRODUCT_LINE: """LEFT JOIN LATERAL (
        SELECT price.product_line FROM charges JOIN price_versions AS price ON price.id = charges.price_version_id
         WHERE charges.usage_id = one.id ORDER BY charges.revision DESC LIMIT 1) AS rated ON true""",
}
PROJECT_ID = "project_id"
SUMS = ("jobs", "core_seconds", "node_seconds", "gpu_seconds", "wall_seconds", "wait_seconds")
QUERY = """
    WITH days AS (
        SELECT {names} one.cores, one.nodes, one.gpus, submitted, started, day,
               day = ended_day AS is_end, day = started_day AS is_start,
               GREATEST(LEAST(ended, (day + 1) * 86400) - GREATEST(started, day * 86400), 0) AS seconds
          FROM usage AS one {joins}
         CROSS JOIN LATERAL (SELECT floor(extract(epoch FROM one.submitted_at))::bigint AS submitted,
                                    floor(extract(epoch FROM one.started_at))::bigint AS started,
                                    floor(extract(epoch FROM one.ended_at))::bigint AS ended OFFSET 0) AS second
         CROSS JOIN LATERAL (SELECT started / 86400 AS started_day, ended / 86400 AS ended_day OFFSET 0) AS at
         CROSS JOIN LATERAL generate_series(GREATEST(LEAST(started_day, ended_day), :first),
                                            LEAST(GREATEST(started_day, ended_day), :last)) AS day
         WHERE one.started_at IS NOT NULL {scope}
           AND (one.ended_at >= :start OR (one.ended_at < one.started_at AND one.started_at >= :start))
           AND LEAST(one.started_at, one.ended_at) < :end
    ), summed AS (
        SELECT {keys} count(*) FILTER (WHERE is_end) AS jobs,
               sum(cores * seconds) AS core_seconds, sum(nodes * seconds) AS node_seconds,
               sum(gpus * seconds) AS gpu_seconds, sum(seconds) AS wall_seconds,
               COALESCE(sum(GREATEST(started - submitted, 0)) FILTER (WHERE is_start), 0) AS wait_seconds
          FROM days WHERE is_end OR is_start OR seconds > 0 {key_groups}
    )
    SELECT {columns} {sums} FROM summed {groups} LIMIT :most
"""


async def sums(
    session: AsyncSession,
    projects: Sequence[ProjectId] | None,
    by: Sequence[By],
    span: tuple[date, date],
    *,
    most: int,
) -> Sequence[Row[*tuple[Any, ...]]]:
    """For each row of a report what it is about, in the order of `by`, by the words of `By`; SUMS; and the project's id
    where that is asked. In no order. `projects` None: all. Days are [first, last)."""
    first, last = span
    values: dict[str, object] = {
        "start": datetime.combine(first, time(), UTC),
        "end": datetime.combine(last, time(), UTC),
        "first": (first - EPOCH).days,
        "last": (last - EPOCH).days - 1,
        "most": most,
    }
    if projects is not None:
        values["projects"] = list(projects)
    return (await session.execute(_query(by, is_scoped=projects is not None), values)).all()


def _query(by: Sequence[By], *, is_scoped: bool) -> TextClause:
    """Summed by the day's number first: its name is text, made once for each sum. No text of a caller's is in it."""
    named = {f'"{one}"': NAMES[one] for one in by if one in NAMES}
    columns = [f"to_char(DATE '1970-01-01' + day::int, '{TIMES[one]}')" if one in TIMES else f'"{one}"' for one in by]
    columns = [f'{column} AS "{one}"' for one, column in zip(by, columns, strict=True)]
    if By.PROJECT in by:
        named[PROJECT_ID] = f"one.{PROJECT_ID}"
        columns.append(PROJECT_ID)
    keys = [*named, "day"] if any(one in TIMES for one in by) else [*named]
    query = text(
        QUERY.format(
            names="".join(f"{value} AS {name}, " for name, value in named.items()),
            joins=" ".join(JOINS[one] for one in by if one in JOINS),
            scope="AND one.project_id = ANY(:projects)" if is_scoped else "",
            keys="".join(f"{one}, " for one in keys),
            key_groups=_groups(keys),
            columns="".join(f"{one}, " for one in columns),
            sums=", ".join(f"sum({one}) AS {one}" for one in SUMS),
            groups=_groups(columns),
        )
    )
    return query.bindparams(bindparam("projects", type_=ARRAY(Uuid))) if is_scoped else query


def _groups(columns: Sequence[str]) -> str:
    return "GROUP BY " + ", ".join(str(at) for at in range(1, len(columns) + 1))
