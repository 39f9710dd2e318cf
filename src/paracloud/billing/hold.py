"""Reserve the most that a job can cost, and give back what it did not."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_holds, store_paying
from paracloud.billing.cover import Place
from paracloud.billing.entry import Entry, held, wallet
from paracloud.billing.post import post
from paracloud.billing.rate import Most
from paracloud.billing.reserve import Reserved, Wanted, reserve
from paracloud.billing.store_holds import Hold
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
    """What `set_aside` takes from the wallet."""
    wanted = Wanted(project, reference, amount, user, most, place)
    return (await set_aside(session, wanted, now=now)).rest


async def set_aside(session: AsyncSession, wanted: Wanted, *, now: datetime) -> Reserved:
    """What the wallet reserves: the amount, less what packages and credits can pay of it, which are reserved first
    (`most` and `place` say what they would be asked for). NotEnoughFunds names what is missing. The wallet is locked
    first, so holds at the same moment cannot overdraw it or its credit line. A reference that has its hold already
    keeps it, whatever the amount."""
    project, reference, amount = wanted.project, wanted.reference, wanted.amount
    locked = await store.locked(session, {wallet(project): amount.currency, held(project): amount.currency})
    if await store_holds.has_hold(session, reference):
        return Reserved(amount, amount)
    shelf, _ = await store_paying.lock_shelf(session, [project], ())
    found = await reserve(session, wanted, shelf, locked[wallet(project)].balance_micro, now)
    rest = found.rest
    await store_holds.add_hold(session, reference, project, rest.micro, found.ceiling, wanted.user)
    postings = {wallet(project): -rest.micro, held(project): rest.micro}
    entry = Entry(f"hold:{reference}", "hold", amount.currency, postings, reference=reference)
    await post(session, [entry], now=now, locked={code: account.id for code, account in locked.items()})
    await store_paying.put_back(session, shelf)
    return found


async def lock_funds(session: AsyncSession, projects: Collection[ProjectId]) -> None:
    """Whoever holds for several projects in one transaction does this first: in the order of the holds, two could wait
    for each other."""
    await store.lock_accounts(session, {}, also=[code(project) for project in projects for code in (wallet, held)])


async def release(session: AsyncSession, references: Sequence[str], *, now: datetime) -> None:
    """The rest of each hold goes back to its wallet; what was released already, or not held when this began, stays."""
    owners = await store_holds.holders(session, references) if references else {}
    accounts = {code(project): currency for project, currency in owners.items() for code in (wallet, held)}
    if not accounts:
        return
    locked = await store.lock_accounts(session, accounts)
    holds = await store_holds.lock_holds(session, references)
    # A hold that came meanwhile is left: neither its accounts nor its packages are locked here.
    rest = {of: hold for of, hold in holds.items() if not hold.is_released and hold.project in owners}
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
