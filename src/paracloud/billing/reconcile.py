"""Three books of one day side by side: the centre's accounting, what we charged, and what is settled with the centre.

Each difference has a cause and an amount. None is absorbed: a difference is mended by what its cause asks for, and by a
person where no rule says how.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges
from paracloud.billing.charge import worked
from paracloud.billing.charges import Before, Unrated
from paracloud.billing.rate import Charge, rate_work
from paracloud.billing.rule import Unrated as RuleUnrated
from paracloud.billing.terms import Terms, terms_of
from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import CentreName, PriceVersionId, ProjectId, UnixAccount, UsageId
from paracloud.metering.listing import usage_by_key, usage_ended
from paracloud.metering.usage import UNCLAIMED, Usage, UsageKey, differs, key_of, metered, revised


class Cause(StrEnum):
    """What a difference comes from, in the order in which it is looked for."""

    NOT_METERED = "not metered"
    """The centre accounts for it; we never charged it."""
    NOT_ACCOUNTED = "not accounted"
    """We charged it; the centre's accounting does not have it."""
    CHANGED = "changed"
    """The centre's figures are not those that we charged."""
    UNRATED = "unrated"
    WRONG_PRICE = "wrong price"
    WRONG_AMOUNT = "wrong amount"
    WRONG_SHARE = "wrong share"
    NOT_SETTLED = "not settled"
    """What is posted to the centre is not the share that the charge says."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`micro`: how much we have too much (or, negative, too little) of what the customer pays; for WRONG_SHARE and
    NOT_SETTLED, of what the centre gets."""

    cause: Cause
    record_id: str
    project: ProjectId
    micro: int
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`records`: the centre's, of accounts that projects have; amounts are sums of the day, in micro-units."""

    centre: CentreName
    start: datetime
    end: datetime
    records: int
    accounted_micro: int
    """What the centre's accounting comes to by the terms that hold."""
    charged_micro: int
    settled_micro: int
    mismatches: tuple[Mismatch, ...]


async def reconcile(
    session: AsyncSession,
    centre: CentreName,
    records: Sequence[AccountingRecord],
    *,
    start: datetime,
    end: datetime,
    owners: Mapping[UnixAccount, ProjectId],
    pinned: Mapping[str, PriceVersionId],
) -> Reconciliation:
    """`records` are what the centre says now of what ended in [start, end), and of what we have in that time;
    `pinned` the price versions that jobs were accepted with, by reference. Reads only."""
    told = {key_of(centre, one): one for one in records if one.account in owners}
    ours = await usage_by_key(session, list(told))
    ours |= {usage.key: usage for usage in await usage_ended(session, centre, start, end)}
    truth = {key: _truth(key, record, ours.get(key), owners) for key, record in told.items()}
    wanted = [*truth.values(), *(usage for key, usage in ours.items() if key not in truth)]
    terms = await terms_of(session, wanted, {}, pinned)
    ids = [usage.id for usage in ours.values()]
    before, settled = await charges.before(session, ids), await charges.settled(session, ids, centre)
    keys = sorted(truth.keys() | ours.keys())
    found = [_compare(ours.get(key), truth.get(key), terms, before, settled) for key in keys]
    due = [_due(usage, terms[usage.id]) for usage in truth.values()]
    return Reconciliation(
        centre=centre,
        start=start,
        end=end,
        records=len(told),
        accounted_micro=sum(one.amount.micro for one in due if isinstance(one, Charge)),
        charged_micro=sum(one.amount_micro for one in before.values() if not one.is_reversed),
        settled_micro=sum(settled.values()),
        mismatches=tuple(one for some in found for one in some),
    )


def _truth(
    key: UsageKey, record: AccountingRecord, known: Usage | None, owners: Mapping[UnixAccount, ProjectId]
) -> Usage:
    if known is None:
        return metered(key, record, owners[record.account], UNCLAIMED)
    return revised(known, record) if differs(known, record) else known


def _compare(
    ours: Usage | None,
    truth: Usage | None,
    terms: Mapping[UsageId, Terms | Unrated],
    before: Mapping[UsageId, Before],
    settled: Mapping[UsageId, int],
) -> list[Mismatch]:
    known = before.get(ours.id) if ours is not None else None
    if known is not None and known.is_reversed:
        return []  # a person decided; the ledger says who and why
    charged = known.amount_micro if known is not None else 0
    if truth is None or ours is None:
        return [_one_sided(ours, truth, terms, charged)]
    due = _due(truth, terms[truth.id])
    if isinstance(due, Unrated) or known is None:
        why = due if isinstance(due, Unrated) else Unrated("it was not charged", "尚未计费")
        amount = -due.amount.micro if isinstance(due, Charge) else 0
        return [_mismatch(Cause.UNRATED, truth, amount, why.reason_en, why.reason_zh)]
    found = _of_amount(ours, truth, known, due, terms[truth.id])
    if known.share_micro != due.share.micro and not found:
        found.append(_wrong_share(truth, known, due))
    if (posted := settled.get(ours.id, 0)) != known.share_micro:
        en = f"{posted} micro-units are posted to the centre, the charge says {known.share_micro}"
        zh = f"向超算中心结算 {posted} 微元，扣费记录为 {known.share_micro}"
        found.append(_mismatch(Cause.NOT_SETTLED, truth, posted - known.share_micro, en, zh))
    return found


def _one_sided(
    ours: Usage | None, truth: Usage | None, terms: Mapping[UsageId, Terms | Unrated], charged: int
) -> Mismatch:
    if ours is not None:
        en, zh = "the centre's accounting does not have it", "超算中心的记账中没有该记录"
        return _mismatch(Cause.NOT_ACCOUNTED, ours, charged, en, zh)
    assert truth is not None, "of two sides, one is there"  # noqa: S101
    due = _due(truth, terms[truth.id])
    amount = -due.amount.micro if isinstance(due, Charge) else 0
    return _mismatch(Cause.NOT_METERED, truth, amount, "it was never metered", "从未计量")


def _of_amount(ours: Usage, truth: Usage, known: Before, due: Charge, terms: Terms | Unrated) -> list[Mismatch]:
    off = known.amount_micro - due.amount.micro
    if truth is not ours:
        return [_mismatch(Cause.CHANGED, truth, off, *_changes(ours, truth))]
    if isinstance(terms, Terms) and terms.price.id != known.price:
        en = f"it was charged at price version {known.price}, which does not hold for it"
        return [_mismatch(Cause.WRONG_PRICE, truth, off, en, f"所用价格版本 {known.price} 对其无效")]
    if off:
        en = f"{known.amount_micro} micro-units were charged, it costs {due.amount.micro}"
        zh = f"扣费 {known.amount_micro} 微元，应为 {due.amount.micro}"
        return [_mismatch(Cause.WRONG_AMOUNT, truth, off, en, zh)]
    return []


def _wrong_share(truth: Usage, known: Before, due: Charge) -> Mismatch:
    en = f"the centre's share is {known.share_micro} micro-units, by the contract {due.share.micro}"
    zh = f"超算中心分成 {known.share_micro} 微元，按合同应为 {due.share.micro}"
    return _mismatch(Cause.WRONG_SHARE, truth, known.share_micro - due.share.micro, en, zh)


def _changes(ours: Usage, truth: Usage) -> tuple[str, str]:
    names = [name for name in ("elapsed_seconds", "cores", "nodes", "gpus", "queue", "native_state", "ended_at")
             if getattr(ours, name) != getattr(truth, name)]  # fmt: skip
    said = ", ".join(f"{name} {getattr(ours, name)} -> {getattr(truth, name)}" for name in names) or "other figures"
    return f"the centre has changed {said}", f"超算中心已更改：{said}"


def _due(usage: Usage, terms: Terms | Unrated) -> Charge | Unrated:
    if isinstance(terms, Unrated):
        return terms
    try:
        return rate_work(worked(usage), terms.price, terms.share_basis_points)
    except RuleUnrated as why:
        return Unrated(why.en, why.zh)


def _mismatch(cause: Cause, usage: Usage, micro: int, en: str, zh: str) -> Mismatch:
    return Mismatch(cause, usage.key.record_id, usage.project, micro, en, zh)
