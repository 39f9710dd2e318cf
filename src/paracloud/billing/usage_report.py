"""What was used, by day or month and by where, whose and what: of stored usage what `metering.report` is of a log."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_report
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import ProjectId
from paracloud.metering.report import By, Sums

FIRST, LAST = date(1970, 1, 1), date(9999, 12, 31)
MOST_ROWS = 100_000


@dataclass(frozen=True, slots=True)
class Row:
    """`names` in the order that was asked for; `project` where the report is by project: names may repeat."""

    names: tuple[str, ...]
    project: ProjectId | None
    sums: Sums


async def usage_report(
    session: AsyncSession,
    projects: Sequence[ProjectId] | None,
    by: Sequence[By],
    *,
    start: date | None = None,
    end: date | None = None,
) -> list[Row]:
    """The rows, in the order of their names; of `projects`, None: of all. Only the days (UTC) in [start, end) count: of
    a run across midnight, what lies in them. What never ran is no job. Invalid for an empty span, and for more than
    MOST_ROWS rows."""
    span = (start or FIRST, end or LAST)
    if span[0] >= span[1]:
        raise Invalid(
            f"`to` is the first day that counts no more: it must come after {span[0]}.",
            f"to 为统计截止日（不含），必须晚于 {span[0]}。",
            field="to",
        )
    found = await store_report.sums(session, projects, by, span, most=MOST_ROWS + 1)
    if len(found) > MOST_ROWS:
        raise Invalid(
            f"That is more than {MOST_ROWS} rows; ask for fewer days, or by less.",
            f"结果超过 {MOST_ROWS} 行；请缩短时间范围或减少维度。",
            field="by",
        )
    rows = [
        Row(
            tuple(one[: len(by)]),
            ProjectId(one.project_id) if By.PROJECT in by else None,
            Sums(**{name: int(getattr(one, name)) for name in store_report.SUMS}),
        )
        for one in found
    ]
    return sorted(rows, key=lambda row: (row.names, str(row.project)))
