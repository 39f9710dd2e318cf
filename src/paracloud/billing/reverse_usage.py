"""All that a usage was charged is taken back, with a reason and a person: also where that was nothing."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store, store_paying
from paracloud.billing.charges import NewCharge
from paracloud.billing.decide import volume_key
from paracloud.billing.entry import held, wallet
from paracloud.billing.period import open_periods
from paracloud.billing.post import post
from paracloud.billing.price import price_by_id
from paracloud.billing.reason import require_reason
from paracloud.billing.taken_back import Word, taken_back
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import EntryId, UsageId


@dataclass(frozen=True, slots=True)
class Reversed:
    """`amount_micro`: what the usage's charges come to less for it. `entry` None: nothing moved."""

    amount_micro: int
    entry: EntryId | None


async def reverse_usage(
    session: AsyncSession, usage: UsageId, *, reason: str, person: str, now: datetime, charged: int | None = None
) -> Reversed:
    """NotFound where it was never charged; Conflict where all that, or its revision `charged`, was taken back before;
    Invalid without a reason. Corrections are reversed with it: a part of it would give back what a correction gave back
    before. The reversal is a charge of its own in an open billing period; where it goes says `taken_back`."""
    require_reason(reason)
    newest = (await charges.newest(session, [usage])).get(usage)
    if newest is None:
        raise NotFound("Nothing was charged for this usage.", "该用量从未计费。", field="usage")
    periods = await open_periods(session, [newest.period])
    await _lock(session, newest)
    before = (await charges.before(session, [usage]))[usage]
    if before.is_reversed or (charged is not None and charged < before.first):
        raise Conflict("It was reversed before.", "该费用此前已被冲销。")
    row = (await charges.newest(session, [usage]))[usage]
    shelf, used = await store_paying.lock_shelf(session, [row.project], (), [usage])
    codes = (await store.posted_to(session, {usage: before.first})).get(usage, [])
    word, period = Word(reason, person), periods[newest.period]
    back = taken_back(row, before, used.get(usage, {}), codes, shelf, period=period, word=word)
    await _less_volume(session, back.row)  # before the accounts that all share, as when it was charged
    made = await post(session, [back.entry], now=now)
    entry = made.get(back.entry.key)
    await charges.add(session, [(back.row, entry)], now)
    await store_paying.add_uses(session, [(back.row, back.uses)])
    await store_paying.put_back(session, shelf)
    return Reversed(back.row.amount_micro, entry)


async def _lock(session: AsyncSession, row: NewCharge) -> None:
    """As whoever charges or decides does. A wallet is there from now on, so that the next one waits for this one."""
    code = wallet(row.project)
    if not await store.lock_accounts(session, {}, also=[code, held(row.project)]):
        await store.lock_accounts(session, {code: row.currency})


async def _less_volume(session: AsyncSession, less: NewCharge) -> None:
    if less.volume_month is None:
        return
    key = volume_key((await price_by_id(session, less.price)).price, less.project, less.volume_month)
    volumes = await store_paying.lock_volumes(session, [key])
    await store_paying.put_volumes(session, {key: volumes[key] + less.list_micro})
