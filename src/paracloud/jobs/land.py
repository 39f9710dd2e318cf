"""The steps of a landing, each written on the job and told to its project: warn, signal, stop, or call it off."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.billing.within_budgets import OverBudget
from paracloud.jobs import store, store_funds
from paracloud.jobs.finish import End, finish
from paracloud.jobs.free import Past, pasts_of
from paracloud.jobs.landing import STOPPED_EN, STOPPED_ZH, Funds, free_seconds, stop_at
from paracloud.jobs.state import FINAL, JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import CANCEL, SIGNAL
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import CentreName, JobId, ProjectId
from paracloud.kit.money import Money

TIME = "%Y-%m-%d %H:%M:%S UTC"


@dataclass(frozen=True, slots=True)
class Lack:
    """Why a job cannot be paid for on, as everybody in its project may know it. `amount` is what is missing; of a
    budget that is not theirs to know, what was asked for."""

    amount: Money
    en: str
    zh: str


def lack_of(why: NotEnoughFunds) -> Lack:
    if isinstance(why, OverBudget) and not why.is_for_all:
        return Lack(
            why.wanted,
            "more must be held, and a hard budget of the organisation or of the user does not allow it",
            "需要预留更多，而组织或用户的硬预算不允许",
        )
    assert why.missing_micro is not None, "only a budget keeps it to itself"  # noqa: S101
    missing = Money(why.missing_micro, why.currency)
    return Lack(
        missing,
        f"{missing} {missing.currency} is missing in the wallet with its credit line, or in a hard budget",
        f"还差 {missing} {missing.currency}（余额与授信额度或硬预算不足）",
    )


def funds_of(row: AnyRow, past: Past) -> Funds:
    free, held = 0, row.held_seconds
    if row.dedication_id is not None and past.free_until is None:
        free = held = row.wall_limit_seconds + past.earlier_seconds
    elif row.dedication_id is not None and past.free_until is not None:
        free = free_seconds(row.running_since, past.free_until)
        # The first hold brings what the centre's kill may take; before it, so much of the free time is kept for that.
        held = free + (row.held_seconds or -row.overrun_seconds)
    return Funds(
        job=JobId(row.id),
        limit_seconds=row.wall_limit_seconds,
        earlier_seconds=past.earlier_seconds,
        slice_seconds=row.slice_seconds,
        grace_seconds=row.grace_seconds,
        held_seconds=held,
        running_since=row.running_since,
        warned_at=row.warned_at,
        signalled_at=row.signalled_at,
        stop_at=row.stop_at,
        stopping_at=row.stopping_at,
        free_seconds=free,
    )


async def warn(session: AsyncSession, row: AnyRow, funds: Funds, lack: Lack, now: datetime) -> None:
    """The signal is wished for in the same transaction."""
    until, signal = funds.held_until.strftime(TIME), row.signal
    is_lapse = row.dedication_id is not None and not row.held_seconds
    what_en, what_zh = ("The dedicated nodes end", "独占节点即将到期") if is_lapse else ("Money ends", "资金即将用尽")
    en = (
        f"{what_en}: to go on after {until}, {lack.en}. The signal {signal} is sent now, so that the job can write a "
        f"checkpoint; {funds.grace_seconds} s after it the job is stopped. It goes on if money comes before."
    )
    zh = (
        f"{what_zh}：{until} 之后继续运行{lack.zh}。"
        f"现在发送信号 {signal}，作业可写检查点；此后 {funds.grace_seconds} 秒停止作业。此前充值即可继续运行。"
    )
    await store_funds.change(session, funds.job, warned_at=now)
    await _say(session, row, NoticeKind.LANDING, en, zh, lack.amount, now)
    await wish_signal(session, row)


async def wish_signal(session: AsyncSession, row: AnyRow) -> None:
    """Where a user wishes something at this moment, that comes first, and the next round wishes for it again."""
    if row.wish is None:
        await store.change(session, JobId(row.id), wish=SIGNAL)
        await store.announce(session, row.centre)


async def signalled(session: AsyncSession, centre: CentreName, jobs: Sequence[JobId], now: datetime) -> None:
    """The centre has delivered it: the grace runs. A landing that was called off meanwhile stays called off."""
    rows = await store_funds.lock(session, centre, jobs)
    pasts = await pasts_of(session, rows.values(), now)
    for job, row in rows.items():
        if row.warned_at is None or row.running_since is None or row.state in FINAL:
            continue
        end = stop_at(funds_of(row, pasts[job]), now)
        await store_funds.change(session, job, signalled_at=now, stop_at=end)
        en = f"The signal {row.signal} was sent. The job is stopped at {end.strftime(TIME)}, unless money comes before."
        zh = f"已发送信号 {row.signal}。若未充值，作业将于 {end.strftime(TIME)} 停止。"
        await _note(session, row, en, zh, now)


async def stop(session: AsyncSession, row: AnyRow, lack: Lack, now: datetime) -> None:
    en = f"{STOPPED_EN} To go on, {lack.en}."
    zh = f"{STOPPED_ZH}继续运行{lack.zh}。"
    await store_funds.change(session, JobId(row.id), stopping_at=now)
    await store.change(session, JobId(row.id), wish=CANCEL)
    await store.announce(session, row.centre)
    await _say(session, row, NoticeKind.STOPPING, en, zh, lack.amount, now)


async def give_up(session: AsyncSession, row: AnyRow, end: datetime, lack: Lack, now: datetime) -> None:
    """The job waits for dedicated nodes, which end then, and is not to start unpaid: it is cancelled, here and now or
    at its centre."""
    job, until = JobId(row.id), end.strftime(TIME)
    en = f"Cancelled before it started: its dedicated nodes end at {until}, and to run after that, {lack.en}."
    zh = f"作业开始前已取消：其独占节点于 {until} 到期，此后运行{lack.zh}。"
    await store_funds.change(session, job, warned_at=now)
    await _say(session, row, NoticeKind.STOPPING, en, zh, lack.amount, now)
    if row.state == JobState.ACCEPTED:
        await finish(session, {job: row}, [End(job, JobState.CANCELLED, now, reason=f"{STOPPED_EN} {STOPPED_ZH}")], now)
    else:
        await store.change(session, job, wish=CANCEL)
        await store.announce(session, row.centre)


async def call_off(session: AsyncSession, row: AnyRow, funds: Funds, given: Money, now: datetime) -> None:
    """The job goes on. A signal that is not on its way yet is not sent any more."""
    until = funds.held_until.strftime(TIME)
    await store_funds.change(session, funds.job, warned_at=None, signalled_at=None, stop_at=None)
    if row.wish == SIGNAL:
        await store.change(session, funds.job, wish=None)
    en = f"Money came: the job goes on, and is paid for until {until}."
    zh = f"资金已到账：作业继续运行，费用已预留至 {until}。"
    await _say(session, row, NoticeKind.LANDING_CALLED_OFF, en, zh, given, now)


async def _say(
    session: AsyncSession, row: AnyRow, kind: NoticeKind, en: str, zh: str, amount: Money, now: datetime
) -> None:
    await _note(session, row, en, zh, now)
    await tell(
        session,
        [Notice(kind, f"Job {row.id}: {en}", f"作业 {row.id}：{zh}", amount, now, ProjectId(row.project_id),
                reference=str(row.id))],
    )  # fmt: skip


async def _note(session: AsyncSession, row: AnyRow, en: str, zh: str, now: datetime) -> None:
    event = {"job_id": row.id, "at": now, "from_state": row.state, "to_state": row.state, "reason": en, "note": zh}
    await store.add_events(session, [event])
