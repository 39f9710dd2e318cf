"""Whether a log's times are UTC: sacct writes its centre's local ones unless it is asked otherwise, and under these
what was collected would count a second time."""

from collections.abc import Sequence
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.registry import get_centre
from paracloud.dialects.history import HistoryRecord
from paracloud.history.imported import Import
from paracloud.kit.errors import Invalid
from paracloud.metering.listing import usage_by_record
from paracloud.metering.usage import Usage

ZONED = "sacct"
"""The format whose times may be local; the others write seconds since 1970."""
STEP, FARTHEST = timedelta(minutes=15), timedelta(hours=14)
"""Of the zones that there are, from UTC."""


async def require_utc(session: AsyncSession, of: Import, records: Sequence[HistoryRecord]) -> None:
    """Invalid where an execution that the centre told is in the log at all its times, but for one shift of a zone."""
    if of.format != ZONED or not records or not (await get_centre(session, of.centre)).is_reached:
        return
    known: dict[str, list[Usage]] = {}
    for usage in await usage_by_record(session, of.centre, [one.usage_id for one in records]):
        known.setdefault(usage.key.record_id, []).append(usage)
    for one in records:
        told = known.get(one.usage_id, [])
        if any(usage.key.submitted_at == one.submitted_at for usage in told):
            continue
        if (off := next((found for usage in told if (found := _shift(one, usage)) is not None), None)) is not None:
            hours = off / timedelta(hours=1)
            raise Invalid(
                f"Its times are not UTC: job {one.record_id} is known, and {hours:+g} hours away here. Write the log "
                "anew with TZ=UTC before sacct, or with a zone in its times.",
                f"时间不是 UTC：作业 {one.record_id} 已有记录，与此相差 {hours:+g} 小时。"
                "请在 sacct 前加 TZ=UTC 重新导出，或在时间中注明时区。",
            )


def _shift(one: HistoryRecord, known: Usage) -> timedelta | None:
    off = one.submitted_at - known.key.submitted_at
    if known.started_at is None or off % STEP or not timedelta(0) < abs(off) <= FARTHEST:
        return None
    is_same = (one.started_at - known.started_at, one.ended_at - known.ended_at) == (off, off)
    return off if is_same and (one.user, one.cores) == (known.account, known.cores) else None
