"""Reserve more for a job that runs."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_holds, store_paying
from paracloud.billing.entry import Entry, held, wallet
from paracloud.billing.post import post
from paracloud.billing.reserve import Wanted, reserve
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.money import Money


async def extend_hold(session: AsyncSession, more: Wanted, *, until_seconds: int, now: datetime) -> Money:
    """What the wallet gave to make an open hold larger by `more`, so that it covers `until_seconds` of a run; packages
    and credits give first, as at the beginning. Once for each hold and `until_seconds`: again, it changes nothing.
    NotEnoughFunds names what is missing and leaves all as it was, NotFound where the project has no such hold, Conflict
    where it was released."""
    code, currency = wallet(more.project), more.amount.currency
    locked = await store.locked(session, {code: currency, held(more.project): currency})
    found = (await store_holds.lock_holds(session, [more.reference])).get(more.reference)
    if found is None or found.project != more.project:
        raise NotFound("There is no such hold.", "没有该预留。")
    before = await store_holds.extension(session, more.reference, until_seconds)
    if before is not None:
        return Money(before, currency)
    if found.is_released:
        raise Conflict("The hold was released before.", "该预留已释放。")
    shelf, _ = await store_paying.lock_shelf(session, [more.project], [more.reference])
    given = await reserve(session, more, shelf, locked[code].balance_micro, now)
    rest = given.rest
    await store_holds.extend(
        session, more.reference, until_seconds, rest.micro, ceiling_micro=given.ceiling.micro, now=now
    )
    postings = {code: -rest.micro, held(more.project): rest.micro}
    entry = Entry(f"hold:{more.reference}:{until_seconds}", "hold", currency, postings, reference=more.reference)
    await post(session, [entry], now=now, locked={of: account.id for of, account in locked.items()})
    await store_paying.put_back(session, shelf)
    return rest
