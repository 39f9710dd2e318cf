"""From usage to the bill: one balanced entry a revision, posting the user's charge, the centre's share and the margin.

A correction posts the difference to what was charged before, with the same price and share. A duplicate (a second
execution of a job that should have run once) is the platform's cost: the centre is paid, the user is not charged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store
from paracloud.billing.charges import Before, NewCharge, Unrated
from paracloud.billing.entry import DUPLICATES, Entry, held, payable, revenue, wallet
from paracloud.billing.post import post
from paracloud.billing.rate import rate_work
from paracloud.billing.rule import Unrated as RuleUnrated
from paracloud.billing.rule import Worked
from paracloud.billing.store import Hold
from paracloud.billing.terms import Terms, terms_of
from paracloud.kit.identifiers import PriceVersionId, UsageId
from paracloud.metering.usage import Usage

MOST_MICRO = 10**15
"""A thousand million yuan. A usage that would cost more is an error of its centre's accounting until a person says
otherwise."""
ABSURD = Unrated(
    "it would cost more than any execution can: check the centre's accounting", "金额超出合理范围：请核对超算中心的记账"
)
REVERSED = Unrated(
    "its charge was taken back by a person, and the centre has changed its record since: decide what it costs",
    "该费用已被人工冲销，此后超算中心又更改了记录：请决定如何计费",
)
"""Posting the difference would give the money back twice; posting the whole would undo what a person decided."""


@dataclass(frozen=True, slots=True)
class Charged:
    """What one usage revision added to the bill, in micro-units; None where it is listed as unrated: never free."""

    usage: UsageId
    amount_micro: int | None


@dataclass(frozen=True, slots=True)
class _Posting:
    row: NewCharge
    terms: Terms


async def charge(
    session: AsyncSession, usages: Sequence[Usage], *, pinned: Mapping[str, PriceVersionId], now: datetime
) -> list[Charged]:
    """`pinned` gives the price version that each job was accepted with, by reference. It holds where the job ran in the
    queue that it was accepted for; any other usage is charged at the price of its queue when it was submitted. A
    revision that was charged before is left out. A batch takes some ten statements, whatever its size."""
    ids = [usage.id for usage in usages]
    before = await charges.before(session, ids)
    terms = await terms_of(session, usages, before, pinned)
    locked = await _lock(session, usages, terms)
    if (newest := await charges.before(session, ids)) != before:
        before, terms = newest, await terms_of(session, usages, newest, pinned)
        locked = await _lock(session, usages, terms)
    due = [usage for usage in usages if usage.id not in before or before[usage.id].revision < usage.revision]
    holds = await store.lock_holds(session, [usage.reference for usage in due if usage.reference is not None])
    rated = {usage.id: _rated(usage, before.get(usage.id), terms[usage.id]) for usage in due}
    posted = [one for one in rated.values() if isinstance(one, _Posting)]
    unrated = [(usage, one) for usage in due if isinstance(one := rated[usage.id], Unrated)]
    left = dict(holds)
    entries = [_entry(one, left) for one in posted]
    made = await post(session, entries, now=now, locked=locked)
    rows = [(one.row, made.get(entry.key)) for one, entry in zip(posted, entries, strict=True)]
    await charges.add(session, rows, now)
    await charges.list_unrated(session, unrated, now)
    changed = {reference: hold for reference, hold in left.items() if hold != holds[reference]}
    await store.capture(session, {reference: hold.captured_micro for reference, hold in changed.items()})
    return [_charged(usage, rated[usage.id]) for usage in due]


async def _lock(
    session: AsyncSession, usages: Sequence[Usage], terms: Mapping[UsageId, Terms | Unrated]
) -> Mapping[str, int]:
    """All at once and before anything is decided, so that two chargers of one usage come one after the other; also the
    accounts of what is not charged, since a release in the same transaction may need them."""
    codes: dict[str, str] = {}
    projects = {usage.project for usage in usages}
    kinds = {
        (usage.project, usage.key.centre, usage.is_duplicate, found.price.product_line, found.price.currency)
        for usage in usages
        if isinstance(found := terms[usage.id], Terms)
    }
    for project, centre, is_duplicate, product_line, currency in kinds:
        own = DUPLICATES if is_duplicate else revenue(product_line)
        codes |= dict.fromkeys((wallet(project), held(project), payable(centre), own), currency)
    return await store.lock_accounts(session, codes, also={*map(wallet, projects), *map(held, projects)})


def _rated(usage: Usage, before: Before | None, terms: Terms | Unrated) -> _Posting | Unrated:
    if isinstance(terms, Unrated):
        return terms
    if before is not None and before.is_reversed:
        return REVERSED
    try:
        whole = rate_work(worked(usage), terms.price, terms.share_basis_points)
    except RuleUnrated as why:
        return Unrated(why.en, why.zh)
    if whole.amount.micro > MOST_MICRO:
        return ABSURD
    row = NewCharge(
        usage=usage,
        price=terms.price.id,
        share_basis_points=terms.share_basis_points,
        amount_micro=whole.amount.micro - (before.amount_micro if before else 0),
        share_micro=whole.share.micro - (before.share_micro if before else 0),
        currency=terms.price.currency,
    )
    return _Posting(row, terms)


def worked(usage: Usage) -> Worked:
    quantities = {
        "cores": usage.cores,
        "nodes": usage.nodes,
        "gpus": usage.gpus,
        "memory_bytes": usage.memory_bytes,
    }
    return Worked(quantities, usage.elapsed_seconds, usage.phase, usage.native_state)


def _entry(posting: _Posting, holds: dict[str, Hold]) -> Entry:
    row, usage = posting.row, posting.row.usage
    centre, amount, share = payable(usage.key.centre), row.amount_micro, row.share_micro
    if usage.is_duplicate:
        postings = {DUPLICATES: -share, centre: share}
    else:
        captured = _capture(holds, usage, amount)
        postings = {
            held(usage.project): -captured,
            wallet(usage.project): captured - amount,
            centre: share,
            revenue(posting.terms.price.product_line): amount - share,
        }
    key = f"charge:{usage.id}:{usage.revision}"
    return Entry(key, "charge", row.currency, postings, reference=usage.reference or str(usage.id))


def _capture(holds: dict[str, Hold], usage: Usage, amount: int) -> int:
    """Take from the open hold what it still has, and note that in `holds`; a credit, or what the hold does not cover,
    goes through the wallet."""
    hold = holds.get(usage.reference) if usage.reference is not None else None
    if hold is None or hold.is_released or hold.project != usage.project or amount <= 0:
        return 0
    captured = min(amount, hold.amount_micro - hold.captured_micro)
    holds[usage.reference or ""] = replace(hold, captured_micro=hold.captured_micro + captured)
    return captured


def _charged(usage: Usage, rated: _Posting | Unrated) -> Charged:
    if isinstance(rated, Unrated):
        return Charged(usage.id, None)
    return Charged(usage.id, 0 if usage.is_duplicate else rated.row.amount_micro)
