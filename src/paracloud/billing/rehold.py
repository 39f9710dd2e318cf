"""Hold for a waiting job at another place: first beside what it holds, then instead of it.

While nobody knows yet whether it leaves, the hold covers it at either place; so neither can fail for money afterwards.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_holds, store_paying
from paracloud.billing.cover import Shelf
from paracloud.billing.entry import Entry, held, wallet
from paracloud.billing.post import post
from paracloud.billing.reserve import Wanted, reserve
from paracloud.billing.store_holds import Hold
from paracloud.kit.errors import Conflict, NotEnoughFunds, NotFound
from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class _Opened:
    """All of it locked: the accounts by code, the hold, the packages."""

    accounts: Mapping[str, int]
    wallet_micro: int
    hold: Hold
    ceiling_micro: int
    shelf: Shelf


async def most_held(session: AsyncSession, reference: str) -> int:
    """Micro-units: the most that the job can cost where it is, whoever pays. NotFound where nothing was held for it."""
    found = await store_holds.ceiling(session, reference)
    if found is None:
        raise _no_hold()
    return found


async def hold_beside(session: AsyncSession, wanted: Wanted, *, key: str, now: datetime) -> None:
    """Let an open hold, of which nothing is captured, pay for the job at the wanted place too; `key` names the move.
    NotEnoughFunds names what is missing and leaves all as it was; Conflict where the hold is captured or released."""
    opened = await _open(session, wanted)
    own, counted = opened.hold.amount_micro, opened.ceiling_micro
    given = await reserve(session, wanted, opened.shelf, opened.wallet_micro + own, now, counted_micro=counted)
    ceiling = max(counted, given.ceiling.micro)
    await _close(session, opened, wanted, max(own, given.rest.micro), ceiling, f"{key}:beside", now)


async def hold_instead(session: AsyncSession, wanted: Wanted, *, key: str, now: datetime) -> Money:
    """Give back what was held for the place that the job has left. What is held then: never more than before, and all
    of it where a package that was to pay has expired meanwhile."""
    opened = await _open(session, wanted)
    own, counted = opened.hold.amount_micro, opened.ceiling_micro
    opened.shelf.release(wanted.reference)
    try:
        given = await reserve(session, wanted, opened.shelf, own, now, counted_micro=counted)
    except NotEnoughFunds:
        return Money(own, wanted.amount.currency)
    if given.rest.micro > own:
        return Money(own, wanted.amount.currency)
    await _close(session, opened, wanted, given.rest.micro, given.ceiling.micro, f"{key}:instead", now)
    return given.rest


async def _open(session: AsyncSession, wanted: Wanted) -> _Opened:
    code, currency = wallet(wanted.project), wanted.amount.currency
    locked = await store.locked(session, {code: currency, held(wanted.project): currency})
    found = (await store_holds.lock_holds(session, [wanted.reference])).get(wanted.reference)
    ceiling = await store_holds.ceiling(session, wanted.reference)
    if found is None or ceiling is None or found.project != wanted.project:
        raise _no_hold()
    if found.is_released or found.captured_micro:
        raise Conflict("The hold has paid or was released before.", "该预留已扣款或已释放。")
    shelf, _ = await store_paying.lock_shelf(session, [wanted.project], [wanted.reference])
    accounts = {of: account.id for of, account in locked.items()}
    return _Opened(accounts, locked[code].balance_micro, found, ceiling, shelf)


async def _close(
    session: AsyncSession, opened: _Opened, wanted: Wanted, micro: int, ceiling_micro: int, key: str, now: datetime
) -> None:
    more = micro - opened.hold.amount_micro
    await store_holds.resize(session, wanted.reference, micro, ceiling_micro)
    postings = {wallet(wanted.project): -more, held(wanted.project): more}
    name = f"rehold:{wanted.reference}:{key}"
    entry = Entry(name, "hold", wanted.amount.currency, postings, reference=wanted.reference)
    await post(session, [entry], now=now, locked=opened.accounts)
    await store_paying.put_back(session, opened.shelf)


def _no_hold() -> NotFound:
    return NotFound("There is no such hold.", "没有该预留。")
