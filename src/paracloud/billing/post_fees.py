"""The month's fees of dedicated nodes, in advance."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.dedication import Dedication, dedications_of, lapse
from paracloud.billing.entry import DEDICATED, Entry, payable, wallet
from paracloud.billing.fee import fee, fee_key
from paracloud.billing.funding import credit_line
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.billing.period import begins, month_of
from paracloud.billing.post import post
from paracloud.billing.rate import part
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import DedicationId
from paracloud.kit.money import Money


async def post_fees(
    session: AsyncSession, month: date, *, now: datetime, only: DedicationId | None = None
) -> list[Dedication]:
    """Each fee of the month once, of nodes that are the customer's by now: from the wallet, to the centre its share.
    Where the wallet and its credit line cannot pay, the nodes are the customer's no longer from the month's beginning
    on; those come back."""
    due = await _due(session, month, only, now)
    if not due:
        return []
    codes = {code: one.monthly.currency for one in due for code in (wallet(one.project), payable(one.centre))}
    locked = await store.locked(session, {**codes, DEDICATED: due[0].monthly.currency})
    left = {code: account.balance_micro for code, account in locked.items()}
    for project in {one.project for one in due}:
        left[wallet(project)] += await credit_line(session, project)
    entries, lapsed = [], []
    for one in await _not_posted(session, due, month):  # again: another may have come first
        micro = fee(one, month)
        if left[wallet(one.project)] < micro:
            lapsed.append(one)
            continue
        left[wallet(one.project)] -= micro
        entries.append(_entry(one, month, micro))
    await post(session, entries, now=now, locked={code: account.id for code, account in locked.items()})
    for one in lapsed:
        await lapse(session, one, begins(month))
    await tell(session, [told for one in lapsed for told in _notices(one, month, now)])
    return lapsed


async def pay_first_fee(session: AsyncSession, wanted: Dedication, *, now: datetime) -> None:
    """NotEnoughFunds, and the caller's transaction is to end, where the rest of this month cannot be paid."""
    month = month_of(now)
    if not await post_fees(session, month, now=now, only=wanted.id):
        return
    unit = wanted.monthly.currency
    left = await store.balance(session, wallet(wanted.project)) + await credit_line(session, wanted.project)
    due, available = Money(fee(wanted, month), unit), Money(left, unit)
    missing = due - available
    raise NotEnoughFunds(
        f"{due} {unit} of the fee of {wanted.monthly} a month is due in advance for the rest of {month:%Y-%m}, "
        f"{available} is available: top up {missing} first.",
        f"月费 {wanted.monthly} {unit} 须预付，{month:%Y-%m} 剩余部分为 {due}，可用余额 {available}，"
        f"请先充值 {missing}。",
        missing_micro=missing.micro,
        currency=unit,
    )


async def _due(session: AsyncSession, month: date, only: DedicationId | None, now: datetime) -> list[Dedication]:
    """Looked at before anything is locked: every minute but one of a month there is nothing."""
    begun = [one for one in await dedications_of(session, None) if only in (None, one.id) and one.valid_from <= now]
    return await _not_posted(session, [one for one in begun if fee(one, month)], month)


async def _not_posted(session: AsyncSession, due: Sequence[Dedication], month: date) -> list[Dedication]:
    done = await store.posted(session, [fee_key(one, month) for one in due])
    return [one for one in due if fee_key(one, month) not in done]


def _notices(one: Dedication, month: date, now: datetime) -> list[Notice]:
    """To the project, and to the operator: the nodes are free."""
    due = Money(fee(one, month), one.monthly.currency)
    en = (
        f"The fee of {one.nodes} dedicated nodes at {one.centre}/{one.queue} for {month:%Y-%m}, {due} {due.currency}, "
        "could not be paid: from that month on they are no longer dedicated."
    )
    zh = (
        f"{one.centre}/{one.queue} 的 {one.nodes} 个专属节点 {month:%Y-%m} 月费 {due} {due.currency} 无法支付，"
        "自该月起不再专属。"
    )
    mine = Notice(NoticeKind.DEDICATION_LAPSED, en, zh, due, now, project=one.project, reference=str(one.id))
    return [mine, replace(mine, project=None)]


def _entry(one: Dedication, month: date, micro: int) -> Entry:
    share = part(micro, one.share_basis_points)
    postings = {wallet(one.project): -micro, payable(one.centre): share, DEDICATED: micro - share}
    return Entry(fee_key(one, month), "dedicated", one.monthly.currency, postings, reference=str(one.id))
