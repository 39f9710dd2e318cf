"""What takes back all that a usage was charged: a charge of its own, less than nothing, and where that goes. Pure: it
changes only the shelf of packages."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from paracloud.billing.charges import Before, NewCharge
from paracloud.billing.cover import Given, Shelf, Unit, Use
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
    given: Mapping[PackageId, Given],
    codes: Collection[str],
    shelf: Shelf,
    *,
    period: date,
    word: Word,
) -> TakenBack:
    """`row` is the usage's newest charge, `codes` are the accounts that all of them were posted to. It goes back to
    where it was paid from: also what had been held for it to the wallet, hours to their package, while that is open.
    Where nothing is left of the charges, the entry moves nothing."""
    units = sum(one.units for one in given.values())
    uses = tuple(use for unit in Unit for use in shelf.give_back(given, units, unit))
    worth = sum(given[use.package].micro + use.worth_micro for use in uses)
    less = _less(row, before, uses, worth - before.amount_micro)
    less = replace(less, period=period, reason=word.reason, person=word.person)
    key = f"reverse:{less.usage}:{less.revision}"
    about = less.reference or str(less.usage)
    postings = _postings(codes, less, uses)
    return TakenBack(less, uses, Entry(key, "reversal", less.currency, postings, about, word.reason, word.person))


def _less(row: NewCharge, before: Before, uses: Sequence[Use], amount_micro: int) -> NewCharge:
    """Under the usage's newest revision. A package that is open takes its hours back at what they are worth there now,
    to the micro-unit its own account's part."""
    return replace(
        row,
        revision=before.revision,
        is_reversal=True,
        list_micro=-before.list_micro,
        amount_micro=amount_micro,
        package_micro=sum(use.micro for use in uses),
        credit_micro=-before.credit_micro,
        share_micro=-before.share_micro,
        owner_micro=-before.owner_micro,
    )


def _postings(codes: Collection[str], less: NewCharge, uses: Sequence[Use]) -> dict[str, int]:
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
        postings[package(use.package)] = -use.micro
    own = next((code for code in codes if code.startswith("revenue:")), EXPIRED)
    postings[own] = -sum(postings.values())
    return postings
