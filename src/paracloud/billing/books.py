"""What a batch of charges changes while it is decided, and the entries that come of it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from paracloud.billing.cover import Given, Shelf, Unit
from paracloud.billing.decide import Decided, VolumeKey
from paracloud.billing.decision import Decision
from paracloud.billing.entry import CREDITS, DUPLICATES, SHARED, Entry, held, owner, package, payable, revenue, wallet
from paracloud.billing.store_holds import Hold
from paracloud.billing.taken_back import TakenBack
from paracloud.kit.identifiers import PackageId, UsageId
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class Books:
    """Locked: holds by reference, packages, volumes of tiers. Of what was charged before: what each package has
    `given`, and `had`, all that it had used then, where there are packages. `back`: what takes back what was charged at
    terms that hold no more."""

    holds: dict[str, Hold]
    captured: set[str]
    shelf: Shelf
    given: Mapping[UsageId, Mapping[PackageId, Given]]
    had: Mapping[UsageId, Mapping[Unit, int]]
    volumes: dict[VolumeKey, int]
    back: dict[UsageId, TakenBack] = field(default_factory=dict)


def entry_of(usage: Usage, one: Decided, books: Books, word: Decision | None, together: str | None) -> Entry:
    """`together` names the batch whose charges of one project, centre and product line share an entry. What was a job
    of ours has its own."""
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
        for use in one.uses:
            code, micro = (CREDITS, use.units) if use.unit is Unit.MICRO else (package(use.package), use.micro)
            postings[code] = postings.get(code, 0) - micro
    if together is not None and usage.reference is None:
        kind = "duplicates" if usage.is_duplicate else one.terms.price.product_line
        key = f"{SHARED}{together}:{usage.project}:{usage.key.centre}:{contract.id}:{kind}"
        reference = together
    else:
        key, reference = f"charge:{usage.id}:{usage.revision}", usage.reference or str(usage.id)
    why, who = (None, None) if word is None else (word.reason, word.person)
    return Entry(key, "charge", row.currency, postings, reference, why, who)


def _capture(books: Books, usage: Usage, amount: int) -> int:
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
