"""From usage to the bill: one balanced entry a revision, posting the user's charge, the centre's share and the margin.

A correction posts the difference to what was charged before, with the same price and share. A duplicate (a second
execution of a job that should have run once) is the platform's cost: the centre is paid, the user is not charged.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from types import MappingProxyType

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store, store_holds, store_paying, store_unrated
from paracloud.billing.charges import Before, Unrated
from paracloud.billing.cover import Shelf, Unit
from paracloud.billing.decide import Decided, Known, VolumeKey, decide, volume_key
from paracloud.billing.decision import Decision
from paracloud.billing.entry import (
    CREDITS,
    DUPLICATES,
    SHARED,
    Entry,
    held,
    merged,
    owner,
    package,
    payable,
    revenue,
    wallet,
)
from paracloud.billing.period import month_of, open_periods
from paracloud.billing.pick import Terms
from paracloud.billing.post import post
from paracloud.billing.standing import due_of
from paracloud.billing.store_holds import Hold
from paracloud.billing.terms import terms_of
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import EntryId, PackageId, PriceVersionId, ProjectId, UsageId
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
    books = await _open(session, due, before, terms, periods)
    rated = {
        usage.id: waiting.get(usage.id)
        or _rated(usage, before.get(usage.id), terms[usage.id], periods, books, is_decided=usage.id in decided)
        for usage in due
    }
    posted = [(usage, one) for usage in due if isinstance(one := rated[usage.id], Decided)]
    of_each = [_entry(usage, one, books, decided.get(usage.id)) for usage, one in posted]
    entries = of_each
    if together is not None:
        of_each = [_shared(together, of, entry, before) for of, entry in zip(posted, of_each, strict=True)]
        entries = merged(of_each)
    codes = {code: entry.currency for entry in entries for code, micro in entry.postings.items() if micro}
    more = await store.lock_accounts(session, {code: codes[code] for code in codes.keys() - locked.keys()})
    made = await post(session, entries, now=now, locked={**locked, **more})
    _require_all(entries, made)
    await charges.add(
        session, [(one.row, made.get(entry.key)) for (_, one), entry in zip(posted, of_each, strict=True)], now
    )
    unrated = [(usage, one) for usage in due if isinstance(one := rated[usage.id], Unrated)]
    await store_unrated.list_unrated(session, unrated, now)
    await _keep(session, books, [one for _, one in posted])
    return [_charged(usage, rated[usage.id]) for usage in due]


@dataclass(frozen=True, slots=True)
class _Books:
    """What a batch changes while it is decided, locked: holds by reference, packages, volumes of tiers."""

    holds: dict[str, Hold]
    captured: set[str]
    shelf: Shelf
    used: Mapping[UsageId, Mapping[PackageId, int]]
    volumes: dict[VolumeKey, int]


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
) -> _Books:
    references = [usage.reference for usage in due if usage.reference is not None]
    holds = await store_holds.lock_holds(session, references)
    again = [usage.id for usage in due if usage.id in before]
    shelf, used = await store_paying.lock_shelf(session, {usage.project for usage in due}, references, again)
    keys = {
        volume_key(
            found.price,
            usage.project,
            before[usage.id].month if usage.id in before else periods[month_of(usage.ended_at)],
        )
        for usage in due
        if isinstance(found := terms[usage.id], Terms) and found.price.tiers is not None
    }
    return _Books(holds, set(), shelf, used, await store_paying.lock_volumes(session, keys))


async def _keep(session: AsyncSession, books: _Books, decided: Sequence[Decided]) -> None:
    await store_holds.capture(
        session, {reference: books.holds[reference].captured_micro for reference in books.captured}
    )
    await store_paying.add_uses(session, [(one.row, one.uses) for one in decided])
    await store_paying.put_back(session, books.shelf)
    await store_paying.put_volumes(session, books.volumes)


def _rated(
    usage: Usage,
    before: Before | None,
    terms: Terms | Unrated,
    periods: Mapping[date, date],
    books: _Books,
    *,
    is_decided: bool,
) -> Decided | Unrated:
    if isinstance(terms, Unrated):
        return terms
    hold = books.holds.get(usage.reference) if usage.reference is not None else None
    user = hold.user if hold is not None else None
    known = Known(before, books.used.get(usage.id, {}), user, is_decided=is_decided)
    return decide(usage, known, terms, periods[month_of(usage.ended_at)], books.shelf, books.volumes)


def _entry(usage: Usage, one: Decided, books: _Books, word: Decision | None) -> Entry:
    row, contract = one.row, one.terms.contract
    postings = {payable(usage.key.centre): row.share_micro}
    if contract.owner is not None:
        postings[owner(contract.owner)] = row.owner_micro
    if usage.is_duplicate:
        postings[DUPLICATES] = -row.share_micro - row.owner_micro
    else:
        captured = _capture(books, usage, row.wallet_micro)
        postings[held(usage.project)] = -captured
        postings[wallet(usage.project)] = captured - row.wallet_micro
        postings[revenue(one.terms.price.product_line)] = row.amount_micro - row.share_micro - row.owner_micro
        for code, micro in _of_packages(usage, one, books.shelf):
            postings[code] = postings.get(code, 0) - micro
    key = f"charge:{usage.id}:{usage.revision}"
    why, who = (None, None) if word is None else (word.reason, word.person)
    return Entry(key, "charge", row.currency, postings, usage.reference or str(usage.id), why, who)


def _require_all(entries: Sequence[Entry], made: Mapping[str, EntryId]) -> None:
    """Charges whose entry was left out would be on no account."""
    missing = [one.key for one in entries if one.key not in made and any(one.postings.values())]
    if missing:
        raise Conflict(
            f"{missing[0]} was posted before: a batch of history has its name once.",
            f"{missing[0]} 此前已入账：每批历史数据的名称只能使用一次。",
        )


def _shared(together: str, of: tuple[Usage, Decided], entry: Entry, before: Mapping[UsageId, Before]) -> Entry:
    """The same postings, for the entry that it shares with others of its batch. Corrections have their own: what they
    give back and what they take could come to nothing together."""
    usage, one = of
    if usage.reference is not None or usage.id in before:
        return entry
    kind = "duplicates" if usage.is_duplicate else one.terms.price.product_line
    key = f"{SHARED}{together}:{usage.project}:{usage.key.centre}:{one.terms.contract.id}:{kind}"
    return replace(entry, key=key, reference=together)


def _of_packages(usage: Usage, one: Decided, shelf: Shelf) -> Iterator[tuple[str, int]]:
    """Where a part of the charge is taken from. What a closed package would get back goes to the wallet."""
    for use in one.uses:
        if use.unit is Unit.MICRO:
            yield CREDITS, use.units
        elif shelf.packages[use.package].closed_at is not None:
            yield wallet(usage.project), use.micro
        else:
            yield package(use.package), use.micro


def _capture(books: _Books, usage: Usage, amount: int) -> int:
    """Take from the open hold what it still has, and note that; a credit, or what the hold does not cover, goes through
    the wallet."""
    hold = books.holds.get(usage.reference) if usage.reference is not None else None
    if usage.reference is None or hold is None or hold.is_released or hold.project != usage.project or amount <= 0:
        return 0
    captured = min(amount, hold.amount_micro - hold.captured_micro)
    if captured:
        books.holds[usage.reference] = replace(hold, captured_micro=hold.captured_micro + captured)
        books.captured.add(usage.reference)
    return captured


def _charged(usage: Usage, rated: Decided | Unrated) -> Charged:
    if isinstance(rated, Unrated):
        return Charged(usage.id, None, rated)
    return Charged(usage.id, 0 if usage.is_duplicate else rated.row.amount_micro)
