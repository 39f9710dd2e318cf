"""Looks at the days of the centres: each is kept with what it found, and what is new in it the operator is told."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_reconciliations as store
from paracloud.billing.look import Look
from paracloud.billing.mismatch import Mismatch, Reconciliation
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.billing.period import begins
from paracloud.kit.errors import NotFound, ParacloudError
from paracloud.kit.identifiers import CentreName
from paracloud.kit.money import Money
from paracloud.metering.listing import day_totals

ONE_DAY = timedelta(days=1)
LATE = timedelta(hours=2)
"""So long after a day is over its accounting is taken to be complete."""


async def looks(
    session: AsyncSession, centre: CentreName | None = None, *, start: date | None = None, end: date | None = None
) -> list[Look]:
    """The last look at each day in [start, end), by centre and day."""
    return await store.newest(session, centre, start=start, end=end)


async def look_at(session: AsyncSession, centre: CentreName, day: date) -> tuple[Look, list[Mismatch]]:
    """NotFound where nobody has looked."""
    found = await store.newest(session, centre, start=day, end=day + ONE_DAY)
    if not found:
        raise NotFound("That day was not reconciled.", "该日尚未对账。", field="day")
    return found[0], await store.mismatches_of(session, found[0])


async def keep_look(session: AsyncSession, found: Reconciliation, before: Look | None, *, now: datetime) -> bool:
    """`before`: the last look at that day, as it was when this one began. False, and nothing is kept, where somebody
    else looked meanwhile. The operator is told of differences that the last look did not have."""
    look = Look(
        found.centre, found.start.date(), _attempt(before), now,
        records=found.records, untold=found.untold, accounted_micro=found.accounted_micro,
        charged_micro=found.charged_micro, settled_micro=found.settled_micro, differences=len(found.mismatches),
        off_micro=sum(abs(one.micro) for one in found.mismatches),
    )  # fmt: skip
    known = set() if before is None else {_same(one) for one in await store.mismatches_of(session, before)}
    if not await store.add(session, look, found.mismatches):
        return False
    if not {_same(one) for one in found.mismatches} <= known:
        await tell(session, [_differs(look, Counter(one.cause.value for one in found.mismatches))])
    return True


async def keep_silence(
    session: AsyncSession, centre: CentreName, day: date, why: ParacloudError, *, now: datetime
) -> None:
    """The centre has not told what it accounts for a day that nobody has looked at; the operator is told so, once."""
    look = Look(centre, day, _attempt(None), now, reason_en=why.en, reason_zh=why.zh)
    if await store.add(session, look, ()):
        en = f"{day} of {centre} is not reconciled: {why.en}"
        await tell(session, [_notice(look, en, f"{centre} {day} 尚未对账：{why.zh}")])


async def unreconciled(
    session: AsyncSession, since: Mapping[CentreName, date], start: date, end: date
) -> list[tuple[CentreName, date, Look | None]]:
    """Days in [start, end) that do not agree, or that nobody could look at after they were over, with their last look:
    those since each centre was connected, on the day that `since` gives, and those of which we have usage."""
    found = {(one.centre, one.day): one for one in await store.newest(session, start=start, end=end)}
    days = [start + timedelta(days=number) for number in range((end - start).days)]
    wanted = {(centre, day) for centre, first in since.items() for day in days if day >= first}
    wanted |= {(one.centre, one.day) for one in await day_totals(session, begins(start), begins(end))}
    return [(*key, found.get(key)) for key in sorted(wanted) if not is_settled(found.get(key))]


def is_settled(look: Look | None) -> bool:
    """Whether the day was over and its accounting complete when it was found to agree."""
    return look is not None and look.agrees and is_final(look)


def is_final(look: Look) -> bool:
    return look.is_answered and look.at >= over(look.day) + LATE


def over(day: date) -> datetime:
    """When the day (UTC) is over."""
    return datetime.combine(day, time(), UTC) + ONE_DAY


def _attempt(before: Look | None) -> int:
    return 1 if before is None else before.attempt + 1


def _same(one: Mismatch) -> tuple[object, ...]:
    return one.cause, one.record_id, one.project, one.micro


def _differs(look: Look, causes: Counter[str]) -> Notice:
    off = Money(look.off_micro)
    counted = ", ".join(f"{cause}: {count}" for cause, count in sorted(causes.items()))
    en = (
        f"Differences at {look.centre} on {look.day}: {look.differences} ({counted}), together {off} {off.currency}; "
        f"see `admin reconciliation {look.centre} {look.day}`."
    )
    zh = (
        f"{look.centre} {look.day} 对账发现 {look.differences} 处差异（{counted}），合计 {off} {off.currency}；"
        f"详见 `admin reconciliation {look.centre} {look.day}`。"
    )
    return _notice(look, en, zh)


def _notice(look: Look, en: str, zh: str) -> Notice:
    reference = f"{look.centre}/{look.day}"
    return Notice(NoticeKind.RECONCILIATION, en, zh, Money(look.off_micro), look.at, reference=reference)
