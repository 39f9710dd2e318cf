"""From usage to the bill: one balanced entry a revision, posting the user's charge, the centre's share and the margin.

A correction posts the difference to what was charged before, with the same price and share. A duplicate (a second
execution of a job that should have run once) is the platform's cost: the centre is paid, the user is not charged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store
from paracloud.billing.charges import Before, NewCharge
from paracloud.billing.contract import shares_at
from paracloud.billing.entry import DUPLICATES, Entry, held, payable, revenue, wallet
from paracloud.billing.post import post
from paracloud.billing.price import price_at, prices_by_id
from paracloud.billing.rate import Price, rate
from paracloud.billing.store import Hold
from paracloud.kit.identifiers import PriceVersionId, UsageId
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class Charged:
    """What one usage revision added to the bill, in micro-units; None where no price or contract fits (listed as
    unrated: never free)."""

    usage: UsageId
    amount_micro: int | None


async def charge(
    session: AsyncSession, usages: Sequence[Usage], *, pinned: Mapping[str, PriceVersionId], now: datetime
) -> list[Charged]:
    """`pinned` gives the price version that each job was accepted with, by reference. It holds where the job ran in the
    queue that it was accepted for; any other usage is charged at the price of its queue when it was submitted."""
    before = await charges.before(session, [usage.id for usage in usages])
    holds = await store.lock_holds(session, [usage.reference for usage in usages if usage.reference is not None])
    versions = await prices_by_id(session, {*pinned.values(), *(known.price for known in before.values())})
    entries: list[Entry] = []
    rows: list[NewCharge] = []
    charged: list[Charged] = []
    for usage in usages:
        terms = await _terms(session, usage, before.get(usage.id), pinned, versions)
        if terms is None:
            await charges.list_unrated(session, usage, now)
            charged.append(Charged(usage.id, None))
            continue
        row = _row(usage, before.get(usage.id), *terms)
        entries.append(_entry(usage, row, terms[0], holds))
        rows.append(row)
        charged.append(Charged(usage.id, 0 if usage.is_duplicate else row.amount_micro))
    posted = await post(session, entries, now=now)
    await charges.add(session, [(row, posted.get(entry.key)) for row, entry in zip(rows, entries, strict=True)], now)
    for reference, hold in holds.items():
        await store.capture(session, reference, hold.captured_micro)
    return charged


async def _terms(
    session: AsyncSession,
    usage: Usage,
    before: Before | None,
    pinned: Mapping[str, PriceVersionId],
    versions: Mapping[PriceVersionId, tuple[str, str, Price]],
) -> tuple[Price, int] | None:
    """Price and share: those of the first charge; else the pinned ones; else what held when it was submitted."""
    if before is not None:
        return versions[before.price][2], before.share_basis_points
    price = None
    if usage.reference is not None and usage.reference in pinned:
        centre, queue, candidate = versions[pinned[usage.reference]]
        price = candidate if (centre, queue) == (usage.key.centre, usage.queue) else None
    if price is None:
        price = await price_at(session, usage.key.centre, usage.queue, usage.key.submitted_at)
    share = (await shares_at(session, [usage.key.centre], usage.key.submitted_at)).get(usage.key.centre)
    return None if price is None or share is None else (price, share)


def _row(usage: Usage, before: Before | None, price: Price, share_basis_points: int) -> NewCharge:
    whole = rate(usage.core_seconds, usage.gpu_seconds, price, share_basis_points)
    return NewCharge(
        usage=usage,
        price=price.id,
        share_basis_points=share_basis_points,
        amount_micro=whole.amount.micro - (before.amount_micro if before else 0),
        share_micro=whole.share.micro - (before.share_micro if before else 0),
        currency=price.currency,
    )


def _entry(usage: Usage, row: NewCharge, price: Price, holds: dict[str, Hold]) -> Entry:
    centre, amount, share = payable(usage.key.centre), row.amount_micro, row.share_micro
    if usage.is_duplicate:
        postings = {DUPLICATES: -share, centre: share}
    else:
        captured = _capture(holds, usage.reference or "", amount)
        postings = {
            held(usage.project): -captured,
            wallet(usage.project): captured - amount,
            centre: share,
            revenue(price.product_line): amount - share,
        }
    key = f"charge:{usage.id}:{usage.revision}"
    return Entry(key, "charge", row.currency, postings, reference=usage.reference or str(usage.id))


def _capture(holds: dict[str, Hold], reference: str, amount: int) -> int:
    """Take from the open hold what it still has, and note that in `holds`; a credit, or what the hold does not cover,
    goes through the wallet."""
    hold = holds.get(reference)
    if hold is None or hold.is_released or amount <= 0:
        return 0
    captured = min(amount, hold.amount_micro - hold.captured_micro)
    holds[reference] = replace(hold, captured_micro=hold.captured_micro + captured)
    return captured
