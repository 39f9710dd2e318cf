"""Reserve the most that a job can cost, and give back what it did not."""

from collections.abc import Sequence
from datetime import datetime
from math import ceil

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_holds, store_paying
from paracloud.billing.budget import require_within
from paracloud.billing.cover import Place, Shelf, Unit
from paracloud.billing.entry import Entry, held, wallet
from paracloud.billing.funding import credit_line
from paracloud.billing.post import post
from paracloud.billing.rate import Most, rate
from paracloud.billing.store_holds import Hold
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.kit.money import Money


async def hold(
    session: AsyncSession,
    project: ProjectId,
    reference: str,
    amount: Money,
    *,
    now: datetime,
    user: UserId | None = None,
    most: Most | None = None,
    place: Place | None = None,
) -> Money:
    """What the wallet reserves: the amount, less what packages and credits can pay of it, which are reserved first
    (`most` and `place` say what they would be asked for). NotEnoughFunds names what is missing. The wallet is locked
    first, so holds at the same moment cannot overdraw it or its credit line. A reference that has its hold already
    keeps it, whatever the amount."""
    locked = await store.locked(session, {wallet(project): amount.currency, held(project): amount.currency})
    if await store_holds.has_hold(session, reference):
        return amount
    shelf, _ = await store_paying.lock_shelf(session, [project], ())
    rest = amount
    if most is not None and place is not None:
        rest = Money(_uncovered(shelf, project, reference, most, place, amount.micro, now), amount.currency)
    line = await credit_line(session, project)
    available = locked[wallet(project)].balance_micro + line
    if available < rest.micro and rest.micro > 0:
        raise _missing(Money(available, amount.currency), rest)
    await require_within(session, project, user, amount.micro, now)
    await store_holds.add_hold(session, reference, project, rest.micro, amount.currency, user)
    postings = {wallet(project): -rest.micro, held(project): rest.micro}
    entry = Entry(f"hold:{reference}", "hold", amount.currency, postings, reference=reference)
    await post(session, [entry], now=now, locked={code: account.id for code, account in locked.items()})
    await store_paying.put_back(session, shelf)
    return rest


def _uncovered(
    shelf: Shelf, project: ProjectId, reference: str, most: Most, place: Place, micro: int, now: datetime
) -> int:
    """Micro-units that are left to the wallet when packages and credits have reserved what they can."""
    price = most.price
    if price.rule is None:
        cores = most.core_seconds - shelf.reserve(project, Unit.CORE_SECOND, most.core_seconds, place, now, reference)
        cards = most.card_seconds - shelf.reserve(project, Unit.CARD_SECOND, most.card_seconds, place, now, reference)
        if (cores, cards) != (most.core_seconds, most.card_seconds):
            micro = min(micro, ceil(rate(cores, cards, price, 0).amount.micro * price.dearest))
    return micro - shelf.reserve(project, Unit.MICRO, micro, place, now, reference)


async def release(session: AsyncSession, references: Sequence[str], *, now: datetime) -> None:
    """The rest of each hold goes back to its wallet; what was released already, or never held, stays as it is."""
    owners = await store_holds.holders(session, references) if references else {}
    accounts = {code(project): currency for project, currency in owners.items() for code in (wallet, held)}
    if not accounts:
        return
    locked = await store.lock_accounts(session, accounts)
    holds = await store_holds.lock_holds(session, references)
    rest = {reference: hold for reference, hold in holds.items() if not hold.is_released}
    shelf, _ = await store_paying.lock_shelf(session, owners, list(rest))
    for reference in rest:
        shelf.release(reference)
    await store_paying.put_back(session, shelf)
    await store_holds.close_holds(session, list(rest), now)
    await post(session, [_release(reference, hold) for reference, hold in rest.items()], now=now, locked=locked)


def _release(reference: str, hold: Hold) -> Entry:
    rest = hold.amount_micro - hold.captured_micro
    postings = {held(hold.project): -rest, wallet(hold.project): rest}
    return Entry(f"release:{reference}", "release", hold.currency, postings, reference=reference)


def _missing(available: Money, wanted: Money) -> NotEnoughFunds:
    missing = wanted - available
    return NotEnoughFunds(
        f"The job can cost up to {wanted} {wanted.currency}, {available} is available: {missing} {wanted.currency} is "
        "missing. Top up, or ask for less time or fewer cores.",
        f"该作业最多需要 {wanted} {wanted.currency}，可用余额 {available}，还差 {missing} {wanted.currency}。"
        "请充值，或减少时长或核数。",
        missing_micro=missing.micro,
        currency=wanted.currency,
    )
