"""Reserve the most that a job can cost, and give back what it did not."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.entry import Entry, held, wallet
from paracloud.billing.post import post
from paracloud.billing.store import Hold
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money


async def hold(session: AsyncSession, project: ProjectId, reference: str, amount: Money, *, now: datetime) -> None:
    """NotEnoughFunds names what is missing. The wallet is locked first, so holds at the same moment cannot overdraw it.
    A reference that has its hold already keeps it, whatever the amount."""
    locked = await store.locked(session, {wallet(project): amount.currency, held(project): amount.currency})
    available = locked[wallet(project)].balance_micro
    if available < amount.micro:
        if await store.has_hold(session, reference):
            return
        raise _missing(Money(available, amount.currency), amount)
    if await store.add_hold(session, reference, project, amount.micro, amount.currency):
        postings = {wallet(project): -amount.micro, held(project): amount.micro}
        entry = Entry(f"hold:{reference}", "hold", amount.currency, postings, reference=reference)
        await post(session, [entry], now=now, locked={code: account.id for code, account in locked.items()})


async def release(session: AsyncSession, references: Sequence[str], *, now: datetime) -> None:
    """The rest of each hold goes back to its wallet; what was released already, or never held, stays as it is."""
    owners = await store.holders(session, references) if references else {}
    accounts = {code(project): currency for project, currency in owners.items() for code in (wallet, held)}
    if not accounts:
        return
    locked = await store.lock_accounts(session, accounts)
    holds = await store.lock_holds(session, references)
    rest = {reference: hold for reference, hold in holds.items() if not hold.is_released}
    await store.close_holds(session, list(rest), now)
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
