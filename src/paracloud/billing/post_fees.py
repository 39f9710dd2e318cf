"""The month's fees of dedicated nodes, in advance."""

from dataclasses import replace
from datetime import date, datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.dedication import Dedication, dedications_of, lapse
from paracloud.billing.entry import DEDICATED, Entry, payable, wallet
from paracloud.billing.fee import fee, fee_key, fee_months
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
    session: AsyncSession, until: date, *, now: datetime, only: DedicationId | None = None
) -> list[Dedication]:
    """Each fee of the months up to this one once, the oldest month first, of nodes that are the customer's by now: from
    the wallet, to the centre its share. Where the wallet and its credit line cannot pay, the nodes are the customer's
    no longer from the month's beginning on; those come back. Where a later month is paid they are his all the same, and
    the fee stays due."""
    lapsed = []
    for month in sorted({month for _, month in await due_fees(session, until, now=now, only=only)}):
        lapsed += await _post_month(session, month, only, now)
    return lapsed


async def due_fees(
    session: AsyncSession, until: date, *, now: datetime, only: DedicationId | None = None
) -> list[tuple[Dedication, date]]:
    """With their months. Looked at before anything is locked: every minute but one of a month there is nothing."""
    begun = [one for one in await dedications_of(session, None) if only in (None, one.id) and one.valid_from <= now]
    each = [(one, month) for one in begun for month in fee_months(one, until) if fee(one, month)]
    done = await store.posted(session, [fee_key(one, month) for one, month in each])
    return [(one, month) for one, month in each if fee_key(one, month) not in done]


async def _post_month(session: AsyncSession, month: date, only: DedicationId | None, now: datetime) -> list[Dedication]:
    due = await _due_of(session, month, only, now)
    if not due:
        return []
    codes = {code: one.monthly.currency for one in due for code in (wallet(one.project), payable(one.centre))}
    locked = await store.locked(session, {**codes, DEDICATED: due[0].monthly.currency})
    left = {code: account.balance_micro for code, account in locked.items()}
    for project in {one.project for one in due}:
        left[wallet(project)] += await credit_line(session, project)
    entries, unpaid, ours = [], [], {one.id for one in due}
    for one in await _due_of(session, month, only, now):  # another may have posted it first, or ended the nodes
        if one.id not in ours:
            continue
        micro = fee(one, month)
        if left[wallet(one.project)] < micro:
            unpaid.append(one)
            continue
        left[wallet(one.project)] -= micro
        entries.append(_entry(one, month, micro))
    await post(session, entries, now=now, locked={code: account.id for code, account in locked.items()})
    lapsed = [one for one in unpaid if not await _is_paid_later(session, one, month, now)]
    for one in lapsed:
        await lapse(session, one, begins(month))
    await tell(session, [told for one in lapsed for told in _notices(one, month, now)])
    return lapsed


async def _due_of(session: AsyncSession, month: date, only: DedicationId | None, now: datetime) -> list[Dedication]:
    return [one for one, of in await due_fees(session, month, now=now, only=only) if of == month]


async def _is_paid_later(session: AsyncSession, of: Dedication, month: date, now: datetime) -> bool:
    later = [fee_key(of, one) for one in fee_months(of, month_of(now)) if one > month]
    return bool(await store.posted(session, later))


async def pay_first_fee(session: AsyncSession, wanted: Dedication, *, now: datetime) -> None:
    """Of all months that have begun. NotEnoughFunds, and the caller's transaction is to end, where these cannot be
    paid together."""
    month, unit = month_of(now), wanted.monthly.currency
    left = await store.balance(session, wallet(wanted.project)) + await credit_line(session, wanted.project)
    if not await post_fees(session, month, now=now, only=wanted.id):
        return
    due, available = Money(sum(fee(wanted, one) for one in fee_months(wanted, month)), unit), Money(left, unit)
    missing = due - available
    raise NotEnoughFunds(
        f"{due} {unit} of the fee of {wanted.monthly} a month is due in advance until the end of {month:%Y-%m}, "
        f"{available} is available: top up {missing} first.",
        f"月费 {wanted.monthly} {unit} 须预付，截至 {month:%Y-%m} 月底应付 {due}，可用余额 {available}，"
        f"请先充值 {missing}。",
        missing_micro=missing.micro,
        currency=unit,
    )


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
