"""Three books of one day side by side: the centre's accounting, what we charged, and what is settled with the centre.

Each difference has a cause and an amount. None is absorbed: a difference is mended by what its cause asks for, and by a
person where no rule says how.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges, store_decisions, store_paying
from paracloud.billing.charges import Before, Settled, Unrated
from paracloud.billing.cover import Given
from paracloud.billing.decide import REVERSED
from paracloud.billing.decision import Decision
from paracloud.billing.due import Due, due_of, micro_of
from paracloud.billing.mismatch import Cause, Mismatch, Reconciliation
from paracloud.billing.pick import Terms
from paracloud.billing.terms import terms_of
from paracloud.billing.told import Logged, changes, truth_of, untold_of, without_rounded
from paracloud.centres.centre import Owner
from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import CentreName, PackageId, PriceVersionId, UnixAccount, UsageId
from paracloud.metering.listing import usage_by_key, usage_ended
from paracloud.metering.usage import (
    UNCLAIMED,
    Usage,
    costs_alike,
    is_named_as_ours,
    key_of,
    measured,
    metered,
)


async def reconcile(
    session: AsyncSession,
    centre: CentreName,
    records: Sequence[AccountingRecord | Logged],
    *,
    start: datetime,
    end: datetime,
    lent: Mapping[UnixAccount, Owner],
    pinned: Mapping[str, PriceVersionId],
    since: datetime | None,
) -> Reconciliation:
    """`records` are what the centre says now of what ended in [start, end), and of what we have in that time, with what
    old logs told of it: of that none may be lost, and where nothing can be asked of the centre (`since` is None), or it
    need not tell any more, that is its accounting. `pinned`: the price versions that jobs were accepted with, by
    reference; `since`: when the centre was connected. Reads only."""
    owners = {account: one.project for account, one in lent.items()}
    told = {key_of(centre, one): one for one in records if not isinstance(one, Logged)}
    logged = {key_of(centre, one.record): one for one in records if isinstance(one, Logged)}
    logs = {key: one for key, one in logged.items() if key not in told}
    ours = await usage_by_key(session, [*told, *logs])
    ours |= {usage.key: usage for usage in await usage_ended(session, centre, start, end)}
    told = {key: one for key, one in told.items() if key in ours or one.account in owners}
    silent = ours if since is None else untold_of(ours, told, owners, since)
    told |= {key: without_rounded(one.record) for key, one in logs.items() if key in silent}
    untold = {} if since is None else {key: usage for key, usage in silent.items() if key not in told}
    truth = {key: truth_of(key, record, ours.get(key), owners) for key, record in told.items()}
    truth |= {key: metered(key, one.record, one.project, UNCLAIMED) for key, one in logs.items() if key not in ours}
    wanted = [*truth.values(), *(usage for key, usage in ours.items() if key not in truth)]
    books = await _read(session, centre, [usage.id for usage in ours.values()])
    decided = {usage: word.price for usage, word in books.words.items() if word.price is not None}
    terms = await terms_of(session, wanted, {}, pinned, decided)
    keys = sorted(truth.keys() | ours.keys())
    found = [_wrong_owners(ours.values(), lent, books)]
    found += [_compare(ours.get(key), truth.get(key) or untold.get(key), terms, books) for key in keys]
    due = [_accounted(ours.get(key), usage, terms, books) for key, usage in truth.items()]
    return Reconciliation(
        centre=centre,
        start=start,
        end=end,
        records=len(truth),
        accounted_micro=sum(due),
        charged_micro=sum(one.amount_micro for one in books.before.values()),
        settled_micro=sum(one.share_micro for one in books.settled.values()),
        mismatches=tuple(one for some in found for one in some),
        untold=len(untold),
    )


@dataclass(frozen=True, slots=True)
class _Books:
    """What we have written of the day's usages, by usage: charges, postings to the centre and to lenders, what packages
    gave, and what persons decided last."""

    before: Mapping[UsageId, Before]
    settled: Mapping[UsageId, Settled]
    given: Mapping[UsageId, Mapping[PackageId, Given]]
    kept: Mapping[UsageId, int]
    words: Mapping[UsageId, Decision]

    def costs_nothing_by_a_word(self, usage: Usage) -> bool:
        """Its charge was taken back, or it was waived, as it is now: the ledger, or the decision, says who and why."""
        known, word = self.before.get(usage.id), self.words.get(usage.id)
        is_reversed = known is not None and known.is_reversed and known.revision >= usage.revision
        return is_reversed or (word is not None and word.waives and word.revision >= usage.revision)

    def due(self, usage: Usage, terms: Terms | Unrated) -> Due | Unrated:
        return due_of(usage, terms, self.before.get(usage.id), self.given.get(usage.id, {}).values())


NOTHING = Settled(0, 0)
PARTS = (("share_micro", "the centre", "超算中心"), ("owner_micro", "who lent the nodes", "节点出借方"))


async def _read(session: AsyncSession, centre: CentreName, ids: Sequence[UsageId]) -> _Books:
    before = await charges.before(session, ids)
    return _Books(
        before,
        await charges.settled(session, ids, centre),
        await store_paying.given_for(session, ids),
        await store_paying.kept(session, [(usage, one.first) for usage, one in before.items() if one.is_reversed]),
        await store_decisions.newest(session, ids),
    )


def _compare(
    ours: Usage | None,
    truth: Usage | None,
    terms: Mapping[UsageId, Terms | Unrated],
    books: _Books,
) -> list[Mismatch]:
    if ours is not None and books.costs_nothing_by_a_word(ours):
        return [*_left_of_nothing(ours, books), *_said_of_other_figures(ours, truth, terms, books)]
    known = books.before.get(ours.id) if ours is not None else None
    charged = known.amount_micro if known is not None else 0
    if truth is None or ours is None:
        return [_one_sided(ours, truth, terms, charged, books)]
    due = books.due(truth, terms[truth.id])
    if isinstance(due, Unrated) or known is None or known.is_reversed:
        not_charged = Unrated("it was not charged", "尚未计费") if known is None else REVERSED
        why = due if isinstance(due, Unrated) else not_charged
        waits = _mismatch(Cause.UNRATED, truth, -micro_of(due), why.reason_en, why.reason_zh)
        return [*_left_of_nothing(ours, books), waits]
    found = _doubled(ours, known, books) + _of_amount(ours, truth, known, due, terms[truth.id])
    found += [] if found else _wrong_shares(truth, known, due)
    return found + _not_settled(truth, known, books.settled.get(ours.id, NOTHING))


def _wrong_owners(ours: Iterable[Usage], lent: Mapping[UnixAccount, Owner], books: _Books) -> list[Mismatch]:
    found = []
    for usage in ours:
        owner, known = lent.get(usage.account), books.before.get(usage.id)
        if owner is not None and owner.project != usage.project and owner.had(usage.key.submitted_at):
            en, zh = (
                f"{usage.account} was lent to {owner.project} then",
                f"{usage.account} 当时已分配给 {owner.project}",
            )
            found.append(_mismatch(Cause.WRONG_OWNER, usage, 0 if known is None else known.amount_micro, en, zh))
    return found


def _one_sided(
    ours: Usage | None, truth: Usage | None, terms: Mapping[UsageId, Terms | Unrated], charged: int, books: _Books
) -> Mismatch:
    if ours is not None:
        en, zh = "the centre's accounting does not have it", "超算中心的记账中没有该记录"
        return _mismatch(Cause.NOT_ACCOUNTED, ours, charged, en, zh)
    assert truth is not None, "of two sides, one is there"  # noqa: S101
    due = books.due(truth, terms[truth.id])
    return _mismatch(Cause.NOT_METERED, truth, -micro_of(due), "it was never metered", "从未计量")


def _said_of_other_figures(
    ours: Usage, truth: Usage | None, terms: Mapping[UsageId, Terms | Unrated], books: _Books
) -> list[Mismatch]:
    """A word that a usage costs nothing was said of these figures, and of none that is charged for otherwise."""
    if truth is None or costs_alike(truth, measured(ours)):
        return []
    due = books.due(truth, terms[truth.id])
    return [_mismatch(Cause.CHANGED, truth, -micro_of(due), *changes(ours, truth))]


def _doubled(ours: Usage, known: Before, books: _Books) -> list[Mismatch]:
    """Until a person has decided: it is charged to the account's project, which may have computed it or not."""
    if ours.reference is not None or ours.is_duplicate or not is_named_as_ours(ours.name) or ours.id in books.words:
        return []
    en = f"it is named {ours.name} and is not that job: told twice, or started by hand; reverse it, or say its price"
    zh = f"其名称为 {ours.name}，但并非该作业：重复记录或手工提交；请冲销，或指定其价格"
    return [_mismatch(Cause.DOUBLED, ours, known.amount_micro, en, zh)]


def _left_of_nothing(usage: Usage, books: _Books) -> list[Mismatch]:
    """Of what was taken back nothing is left."""
    known = books.before.get(usage.id)
    if known is None or not known.is_reversed:
        return []
    left, due = known.amount_micro - books.kept.get(usage.id, 0), Due(0, 0, 0)
    en, zh = f"it was taken back, and {left} micro-units of it are left", f"已冲销，但仍余 {left} 微元"
    found = [_mismatch(Cause.WRONG_AMOUNT, usage, left, en, zh)] if left else []
    return [
        *found,
        *_wrong_shares(usage, known, due),
        *_not_settled(usage, known, books.settled.get(usage.id, NOTHING)),
    ]


def _of_amount(ours: Usage, truth: Usage, known: Before, due: Due, terms: Terms | Unrated) -> list[Mismatch]:
    off = known.amount_micro - due.amount_micro
    if truth is not ours:
        return [_mismatch(Cause.CHANGED, truth, off, *changes(ours, truth))]
    if isinstance(terms, Terms) and terms.price.id != known.price:
        en = f"it was charged at price version {known.price}, which does not hold for it"
        return [_mismatch(Cause.WRONG_PRICE, truth, off, en, f"所用价格版本 {known.price} 对其无效")]
    if off:
        en = f"{known.amount_micro} micro-units were charged, it costs {due.amount_micro}"
        zh = f"扣费 {known.amount_micro} 微元，应为 {due.amount_micro}"
        return [_mismatch(Cause.WRONG_AMOUNT, truth, off, en, zh)]
    return []


def _wrong_shares(truth: Usage, known: Before, due: Due) -> list[Mismatch]:
    found = []
    for name, en, zh in PARTS:
        has, wanted = getattr(known, name), getattr(due, name)
        if has != wanted:
            said = f"the part of {en} is {has} micro-units, by the contract {wanted}"
            found.append(
                _mismatch(Cause.WRONG_SHARE, truth, has - wanted, said, f"{zh}分成 {has} 微元，按合同应为 {wanted}")
            )
    return found


def _not_settled(truth: Usage, known: Before, posted: Settled) -> list[Mismatch]:
    found = []
    for name, en, zh in PARTS:
        has, wanted = getattr(posted, name), getattr(known, name)
        if has != wanted:
            said = f"{has} micro-units are posted to {en}, the charge says {wanted}"
            found.append(
                _mismatch(Cause.NOT_SETTLED, truth, has - wanted, said, f"向{zh}结算 {has} 微元，扣费记录为 {wanted}")
            )
    return found


def _accounted(ours: Usage | None, truth: Usage, terms: Mapping[UsageId, Terms | Unrated], books: _Books) -> int:
    """What a person reversed or waived comes to what packages keep of it."""
    if ours is not None and books.costs_nothing_by_a_word(ours):
        return books.kept.get(ours.id, 0)
    return micro_of(books.due(truth, terms[truth.id]))


def _mismatch(cause: Cause, usage: Usage, micro: int, en: str, zh: str) -> Mismatch:
    return Mismatch(cause, usage.key.record_id, usage.project, micro, en, zh)
