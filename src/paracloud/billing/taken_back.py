"""What takes back all that a usage was charged: a charge of its own, less than nothing, and where that goes. Pure: it
changes only the shelf of packages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from paracloud.billing.charges import Before, NewCharge
from paracloud.billing.cover import Shelf, Unit, Use
from paracloud.billing.entry import CREDITS, DUPLICATES, EXPIRED, OWNERS, PAYABLE, Entry, package, wallet
from paracloud.kit.identifiers import PackageId


@dataclass(frozen=True, slots=True)
class TakenBack:
    row: NewCharge
    uses: tuple[Use, ...]
    entry: Entry


@dataclass(frozen=True, slots=True)
class Word:
    """Why, and who says so."""

    reason: str
    person: str


def taken_back(
    row: NewCharge,
    before: Before,
    given: Mapping[PackageId, int],
    codes: Collection[str],
    shelf: Shelf,
    *,
    period: date,
    word: Word,
) -> TakenBack:
    """`row` is the usage's newest charge, `codes` are the accounts that all of them were posted to, `given` the units
    of each package. It goes back to where it was paid from: also what had been held for it to the wallet, hours to
    their package, while that is open. Where nothing is left of the charges, the entry moves nothing."""
    uses = tuple(use for unit in Unit for use in shelf.give_back(given, sum(given.values()), unit))
    less = _less(_whole(row, before), uses, period, word)
    key = f"reverse:{less.usage}:{less.revision}"
    about = less.reference or str(less.usage)
    postings = _postings(codes, less, uses, shelf)
    return TakenBack(less, uses, Entry(key, "reversal", less.currency, postings, about, word.reason, word.person))


def _whole(row: NewCharge, before: Before) -> NewCharge:
    """All that the usage was charged, under its newest revision."""
    return replace(
        row,
        revision=before.revision,
        list_micro=before.list_micro,
        amount_micro=before.amount_micro,
        package_micro=before.package_micro,
        credit_micro=before.credit_micro,
        share_micro=before.share_micro,
        owner_micro=before.owner_micro,
    )


def _less(row: NewCharge, uses: Sequence[Use], period: date, word: Word) -> NewCharge:
    """A package takes its hours back at what they are worth there now, to the micro-unit its own account's part."""
    package_micro = sum(use.micro for use in uses)
    return replace(
        row,
        is_reversal=True,
        period=period,
        list_micro=-row.list_micro,
        amount_micro=package_micro - row.amount_micro + row.package_micro,
        package_micro=package_micro,
        credit_micro=-row.credit_micro,
        share_micro=-row.share_micro,
        owner_micro=-row.owner_micro,
        reason=word.reason,
        person=word.person,
    )


def _postings(codes: Collection[str], less: NewCharge, uses: Sequence[Use], shelf: Shelf) -> dict[str, int]:
    """What went to others comes back from them; the platform's own part is the rest."""
    postings = {wallet(less.project): -less.wallet_micro}
    for code in codes:
        if code.startswith(OWNERS):
            postings[code] = less.owner_micro
        elif code.startswith(PAYABLE):
            postings[code] = less.share_micro
        elif code == CREDITS:
            postings[code] = -less.credit_micro
        elif code == DUPLICATES:
            postings[code] = -less.share_micro - less.owner_micro
    for use in uses:
        closed = shelf.packages[use.package].closed_at is not None
        code = wallet(less.project) if closed else package(use.package)
        postings[code] = postings.get(code, 0) - use.micro
    own = next((code for code in codes if code.startswith("revenue:")), EXPIRED)
    postings[own] = -sum(postings.values())
    return postings
