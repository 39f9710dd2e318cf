"""Hold for a waiting job at a second place beside the one that it may leave.

From then on the hold covers it at either, whatever becomes of it, and nothing can fail for money afterwards. A hold
only gives: what is not needed at the place where the job ends comes back at its end, packages included.
"""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_holds, store_paying
from paracloud.billing.entry import Entry, held, wallet
from paracloud.billing.post import post
from paracloud.billing.reserve import Wanted, reserve
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.money import Money


async def most_held(session: AsyncSession, reference: str) -> int:
    """Micro-units: the most that its user has agreed that the job can cost, whoever pays. NotFound where nothing was
    held for it."""
    found = await store_holds.ceiling(session, reference)
    if found is None:
        raise _no_hold()
    return found


async def hold_beside(session: AsyncSession, wanted: Wanted, *, key: str, now: datetime) -> Money:
    """What the wallet holds for the job then: an open hold, of which nothing is captured, made large enough for the
    wanted place too; `key` names the move. NotEnoughFunds names what is missing and leaves all as it was; Conflict
    where the hold is captured or released, NotFound where the project has none."""
    code, currency = wallet(wanted.project), wanted.amount.currency
    locked = await store.locked(session, {code: currency, held(wanted.project): currency})
    found = (await store_holds.lock_holds(session, [wanted.reference])).get(wanted.reference)
    if found is None or found.project != wanted.project:
        raise _no_hold()
    if found.is_released or found.captured_micro:
        raise Conflict("The hold has paid or was released before.", "该预留已扣款或已释放。")
    counted, own = await most_held(session, wanted.reference), found.amount_micro
    shelf, _ = await store_paying.lock_shelf(session, [wanted.project], [wanted.reference])
    # What packages keep for it at one place they keep for it at the other.
    own_units = {} if wanted.place is None else shelf.lay_out(wanted.reference, wanted.place)
    given = await reserve(session, wanted, shelf, locked[code].balance_micro + own, now, counted_micro=counted)
    shelf.take_up(wanted.reference, own_units)
    more = max(given.rest.micro - own, 0)
    await store_holds.enlarge(session, wanted.reference, own + more, max(counted, given.ceiling.micro, own + more))
    postings = {code: -more, held(wanted.project): more}
    entry = Entry(f"hold:{wanted.reference}:{key}", "hold", currency, postings, reference=wanted.reference)
    await post(session, [entry], now=now, locked={of: account.id for of, account in locked.items()})
    await store_paying.put_back(session, shelf)
    return Money(own + more, currency)


def _no_hold() -> NotFound:
    return NotFound("There is no such hold.", "没有该预留。")
