"""From usage to the bill: one balanced entry a revision, posting the user's charge, the centre's share and the margin.

A correction posts the difference to what was charged before, with the same price and share; where the centre has
corrected what chooses these, all that was charged is taken back with it. A duplicate (a second execution of a job that
should have run once) is the platform's cost: the centre is paid, the user is not charged.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store, store_holds, store_paying, store_unrated
from paracloud.billing.books import Books, entry_of
from paracloud.billing.charges import Before, Unrated
from paracloud.billing.cover import Unit
from paracloud.billing.decide import Decided, Known, decide, units_of, volume_key
from paracloud.billing.decision import Decision
from paracloud.billing.entry import Entry, held, merged, wallet
from paracloud.billing.moved import Moved, moved_of, take_back
from paracloud.billing.period import month_of, open_periods
from paracloud.billing.pick import Terms
from paracloud.billing.post import post
from paracloud.billing.standing import due_of
from paracloud.billing.taken_back import TakenBack
from paracloud.billing.terms import terms_of
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import EntryId, PriceVersionId, ProjectId, UsageId
from paracloud.metering.listing import measured_at
from paracloud.metering.usage import Usage

NO_DECISIONS: Mapping[UsageId, Decision] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Charged:
    """What one usage revision added to the bill, in micro-units; None where it is listed as unrated, for the reason
    `why`: never free."""

    usage: UsageId
    amount_micro: int | None
    why: Unrated | None = None


async def charge(
    session: AsyncSession,
    usages: Sequence[Usage],
    *,
    pinned: Mapping[str, PriceVersionId],
    now: datetime,
    together: str | None = None,
    releasing: Collection[ProjectId] = (),
    decided: Mapping[UsageId, Decision] = NO_DECISIONS,
) -> list[Charged]:
    """`pinned` gives the price version that each job was accepted with, by reference. It holds where the job ran in the
    queue that it was accepted for; any other usage is charged at the price of its queue when it was submitted. A
    revision that was charged before is left out, and so is one that still costs nothing by a person's word. A batch
    takes some twenty statements, whatever its size.

    `decided`: usage that has nothing on its bill now, charged whole at the price that a person decided on.

    `releasing`: projects whose holds this transaction releases after it. Their accounts are locked here with the
    others, since those that all share come last.

    `together` names a batch of history, once: first charges of what no job of ours was are then posted in one entry for
    each project, centre and product line, which is the sum of what each of them says."""
    periods = await open_periods(session, {month_of(usage.ended_at) for usage in usages})
    ids = [usage.id for usage in usages]
    at = {usage: word.price for usage, word in decided.items() if word.price is not None}
    before = await charges.before(session, ids)
    terms = await terms_of(session, usages, before, pinned, at)
    locked = await _lock(session, usages, terms, releasing)
    if (newest := await charges.before(session, ids)) != before:
        before, terms = newest, await terms_of(session, usages, newest, pinned, at)
        locked = await _lock(session, usages, terms, releasing)
    due, waiting = await due_of(session, usages, before, decided, now)
    moved = await moved_of(session, [usage for usage in due if usage.id not in {*decided, *waiting}], before, terms)
    books = await _open(session, due, before, terms, periods, moved)
    rated: dict[UsageId, Decided | Unrated] = {}
    for usage in due:
        period = periods[month_of(usage.ended_at)]
        if usage.id in moved:
            books.back[usage.id] = take_back(usage, moved[usage.id], books, period)
        known = _known(usage, before.get(usage.id), books, is_decided=usage.id in decided)
        rated[usage.id] = waiting.get(usage.id) or _rated(usage, known, terms[usage.id], period, books)
    posted = [(usage, one) for usage in due if isinstance(one := rated[usage.id], Decided)]
    of_each = [
        # A correction has its own: what it gives back and what others take could come to nothing together.
        entry_of(usage, one, books, decided.get(usage.id), None if usage.id in before else together)
        for usage, one in posted
    ]
    back = list(books.back.values())
    entries = [*(one.entry for one in back), *(of_each if together is None else merged(of_each))]
    codes = {code: entry.currency for entry in entries for code, micro in entry.postings.items() if micro}
    more = await store.lock_accounts(session, {code: codes[code] for code in codes.keys() - locked.keys()})
    made = await post(session, entries, now=now, locked={**locked, **more})
    _require_all(entries, made)
    rows = [(one.row, one.entry) for one in back]
    rows += [(one.row, entry) for (_, one), entry in zip(posted, of_each, strict=True)]
    await charges.add(session, [(row, made.get(entry.key)) for row, entry in rows], now)
    unrated = [(usage, one) for usage in due if isinstance(one := rated[usage.id], Unrated)]
    await store_unrated.list_unrated(session, unrated, now)
    await _keep(session, books, [one for _, one in posted])
    return [_charged(usage, rated[usage.id], books.back.get(usage.id)) for usage in due]


async def _lock(
    session: AsyncSession,
    usages: Sequence[Usage],
    terms: Mapping[UsageId, Terms | Unrated],
    releasing: Collection[ProjectId],
) -> Mapping[str, int]:
    """The projects' accounts, at once and before anything is decided, so that two chargers of one usage come one after
    the other; also those of what is not charged, since a release in the same transaction may need them. The accounts
    that all share come last, when everything is decided: they are locked for the shortest time."""
    projects = {*releasing, *(usage.project for usage in usages)}
    kinds = {(usage.project, found.price.currency) for usage in usages if isinstance(found := terms[usage.id], Terms)}
    codes = {code(project): currency for project, currency in kinds for code in (wallet, held)}
    return await store.lock_accounts(session, codes, also={*map(wallet, projects), *map(held, projects)})


async def _open(
    session: AsyncSession,
    due: Sequence[Usage],
    before: Mapping[UsageId, Before],
    terms: Mapping[UsageId, Terms | Unrated],
    periods: Mapping[date, date],
    moved: Mapping[UsageId, Moved],
) -> Books:
    references = [usage.reference for usage in due if usage.reference is not None]
    holds = await store_holds.lock_holds(session, references)
    again = [usage.id for usage in due if usage.id in before]
    shelf, given = await store_paying.lock_shelf(session, {usage.project for usage in due}, references, again)
    keys = {
        volume_key(
            found.price,
            usage.project,
            before[usage.id].month if usage.id in before else periods[month_of(usage.ended_at)],
        )
        for usage in due
        if isinstance(found := terms[usage.id], Terms) and found.price.tiers is not None
    } | {one.volume for one in moved.values() if one.volume is not None}
    volumes = await store_paying.lock_volumes(session, keys)
    had = await _had(session, {usage: before[usage] for usage in again}) if shelf.packages else {}
    return Books(holds, set(), shelf, given, had, volumes)


async def _had(session: AsyncSession, charged: Mapping[UsageId, Before]) -> dict[UsageId, dict[Unit, int]]:
    at = [(usage, one.revision) for usage, one in charged.items()]
    found: Mapping[tuple[UsageId, int], Mapping[str, Any]] = await measured_at(session, at)
    had: dict[UsageId, dict[Unit, int]] = {}
    for (usage, _), one in found.items():
        seconds = charged[usage].billed_of(one["elapsed_seconds"])
        had[usage] = units_of(one["cores"] * seconds, one["gpus"] * seconds)
    return had


async def _keep(session: AsyncSession, books: Books, decided: Sequence[Decided]) -> None:
    await store_holds.capture(
        session, {reference: books.holds[reference].captured_micro for reference in books.captured}
    )
    uses = [(one.row, one.uses) for one in books.back.values()] + [(one.row, one.uses) for one in decided]
    await store_paying.add_uses(session, uses)
    await store_paying.put_back(session, books.shelf)
    await store_paying.put_volumes(session, books.volumes)


def _known(usage: Usage, before: Before | None, books: Books, *, is_decided: bool) -> Known:
    hold = books.holds.get(usage.reference) if usage.reference is not None else None
    user = hold.user if hold is not None else None
    is_anew = is_decided or usage.id in books.back
    given = {} if is_anew else books.given.get(usage.id, {})
    had = books.had.get(usage.id, {})
    return Known(before, given, had, user, is_anew=is_anew, is_decided=is_decided)


def _rated(usage: Usage, known: Known, terms: Terms | Unrated, period: date, books: Books) -> Decided | Unrated:
    if isinstance(terms, Unrated):
        return terms
    return decide(usage, known, terms, period, books.shelf, books.volumes)


def _require_all(entries: Sequence[Entry], made: Mapping[str, EntryId]) -> None:
    """Charges whose entry was left out would be on no account."""
    missing = [one.key for one in entries if one.key not in made and any(one.postings.values())]
    if missing:
        raise Conflict(
            f"{missing[0]} was posted before: a batch of history has its name once.",
            f"{missing[0]} 此前已入账：每批历史数据的名称只能使用一次。",
        )


def _charged(usage: Usage, rated: Decided | Unrated, back: TakenBack | None) -> Charged:
    if isinstance(rated, Unrated):
        return Charged(usage.id, None, rated)
    amount = rated.row.amount_micro + (0 if back is None else back.row.amount_micro)
    return Charged(usage.id, 0 if usage.is_duplicate else amount)
