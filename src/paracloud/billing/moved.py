"""Usage that the centre has corrected so that other terms hold for it: what it was charged is taken back in the same
transaction that charges it at these, so that the bill moves by the difference."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store
from paracloud.billing.books import Books
from paracloud.billing.charges import Before, NewCharge, Unrated
from paracloud.billing.decide import VolumeKey, volume_key, whole_amount
from paracloud.billing.pick import Terms
from paracloud.billing.price import price_by_id
from paracloud.billing.taken_back import TakenBack, Word, taken_back
from paracloud.kit.identifiers import UsageId
from paracloud.metering.usage import Usage

REASON = "the centre has corrected what chooses its price · 超算中心更正了决定其价格的记录"


@dataclass(frozen=True, slots=True)
class Moved:
    """What it was charged, by the newest `row`; the accounts that was posted to; and the volume that it is in."""

    row: NewCharge
    before: Before
    codes: Collection[str]
    volume: VolumeKey | None


async def moved_of(
    session: AsyncSession,
    due: Sequence[Usage],
    before: Mapping[UsageId, Before],
    terms: Mapping[UsageId, Terms | Unrated],
) -> dict[UsageId, Moved]:
    """Usage that can be charged at its new terms; few ever are."""
    known = {
        usage.id: before[usage.id]
        for usage in due
        if usage.id in before and _is_moved(usage, before[usage.id], terms[usage.id])
    }
    if not known:
        return {}
    rows = await charges.newest(session, list(known))
    codes = await store.posted_to(session, {usage: one.first for usage, one in known.items()})
    return {
        usage: Moved(row, known[usage], codes.get(usage, ()), await _volume(session, row))
        for usage, row in rows.items()
    }


def take_back(usage: Usage, moved: Moved, books: Books, period: date) -> TakenBack:
    given = books.given.get(usage.id, {})
    word = Word(REASON, str(usage.key.centre))
    back = taken_back(moved.row, moved.before, given, moved.codes, books.shelf, period=period, word=word)
    if moved.volume is not None:
        books.volumes[moved.volume] += back.row.list_micro
    return back


def _is_moved(usage: Usage, before: Before, terms: Terms | Unrated) -> bool:
    if (
        before.is_reversed
        or isinstance(terms, Unrated)
        or isinstance(whole_amount(terms.billed(usage), terms), Unrated)
    ):
        return False
    own = terms.dedicated[0].id if terms.dedicated else None
    return (terms.price.id, terms.contract.id, own) != (before.price, before.contract, before.dedication)


async def _volume(session: AsyncSession, row: NewCharge) -> VolumeKey | None:
    if row.volume_month is None:
        return None
    return volume_key((await price_by_id(session, row.price)).price, row.project, row.volume_month)
