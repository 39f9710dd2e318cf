"""The month's fees of dedicated nodes, in advance."""

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
from paracloud.billing.period import begins
from paracloud.billing.post import post
from paracloud.billing.rate import part
from paracloud.kit.identifiers import DedicationId
from paracloud.kit.money import Money


async def post_fees(
    session: AsyncSession, month: date, *, now: datetime, only: DedicationId | None = None
) -> list[Dedication]:
    """Each fee of the month once, of nodes that are the customer's by now: from the wallet, to the centre its share.
    Where the wallet and its credit line cannot pay, the nodes are the customer's no longer from the month's beginning
    on; those come back."""
    due = [one for one in await dedications_of(session, None) if only in (None, one.id) and one.valid_from <= now]
    due = [one for one in due if fee(one, month)]
    if not due:
        return []
    codes = {code: one.monthly.currency for one in due for code in (wallet(one.project), payable(one.centre))}
    locked = await store.locked(session, {**codes, DEDICATED: due[0].monthly.currency})
    left = {code: account.balance_micro for code, account in locked.items()}
    for project in {one.project for one in due}:
        left[wallet(project)] += await credit_line(session, project)
    done = await store.posted(session, [fee_key(one, month) for one in due])
    entries, lapsed = [], []
    for one in due:
        micro = fee(one, month)
        if fee_key(one, month) in done:
            continue
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
