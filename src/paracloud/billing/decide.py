"""What one usage revision adds to the bill, and how it is paid. Pure: it changes only the shelf of packages and the
volumes that it is given."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from paracloud.billing.charges import Before, NewCharge, Unrated
from paracloud.billing.cover import Given, Place, Shelf, Unit, Use
from paracloud.billing.pick import Terms
from paracloud.billing.rate import (
    Price,
    Stretch,
    part,
    rate_hours,
    rate_work,
    require_plain,
    stretched,
    stretched_again,
)
from paracloud.billing.rule import Unrated as RuleUnrated
from paracloud.billing.rule import Worked, require_ended
from paracloud.billing.tiers import Tiers
from paracloud.kit.identifiers import PackageId, PriceVersionId, ProjectId, UserId
from paracloud.metering.usage import Usage

MOST_MICRO = 10**15
"""A thousand million yuan. A usage that would cost more is an error of its centre's accounting until a person says
otherwise."""
MOST_DECIDED_MICRO = 10**17
"""What a person may say: sums of such amounts still are numbers of the database."""
ABSURD = Unrated(
    "it would cost more than any execution can: check the centre's accounting", "金额超出合理范围：请核对超算中心的记账"
)
REVERSED = Unrated(
    "its charge was taken back by a person, and the centre has changed its record since: decide what it costs",
    "该费用已被人工冲销，此后超算中心又更改了记录：请决定如何计费",
)
"""Posting the difference would give the money back twice; posting the whole would undo what a person decided."""
WAIVED = Unrated(
    "a person decided that it costs nothing, and the centre has changed its record since: decide what it costs",
    "已由人工决定不收费，此后超算中心又更改了记录：请决定如何计费",
)
VolumeKey = tuple[str, PriceVersionId, date]
"""Payer, price version and month."""


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a usage from before: its earlier charges, and what each package gave for it. `had`: what it had
    used when it was charged last, as packages count it. `is_anew`: none of these charges stands; `is_decided`: by a
    person's word."""

    before: Before | None
    given: Mapping[PackageId, Given]
    had: Mapping[Unit, int]
    user: UserId | None
    is_anew: bool = False
    is_decided: bool = False

    @property
    def is_whole(self) -> bool:
        """No difference to what was charged is charged, but all."""
        return self.before is None or self.is_anew


@dataclass(frozen=True, slots=True)
class Decided:
    row: NewCharge
    uses: tuple[Use, ...]
    terms: Terms


def decide(
    usage: Usage, known: Known, terms: Terms, period: date, shelf: Shelf, volumes: dict[VolumeKey, int]
) -> Decided | Unrated:
    """Of the seconds that are not on the customer's own nodes, hours that a package covers cost their part of its
    price; the rest the price's list amount, times the factors of its tiers; a credit pays of that what it can. A
    correction posts the difference to what was charged before. The shelf and the volumes stay as they are where it is
    Unrated."""
    month = period if known.before is None else known.before.month
    before = _nothing(terms, month) if known.before is None or known.is_anew else known.before
    if before.is_reversed:
        return REVERSED
    ran_seconds, usage = usage.elapsed_seconds, terms.billed(usage)
    whole = whole_amount(usage, terms, most=MOST_DECIDED_MICRO if known.is_decided else MOST_MICRO)
    if isinstance(whole, Unrated):
        return whole
    hours = _hours(usage, known, terms, shelf)
    covered = _covered_by(known.given, hours)
    listed = list_amount(usage, covered, terms) if covered else whole
    more = listed - before.list_micro
    volume, money = None, more
    if (tiers := terms.price.tiers) is not None and not usage.is_duplicate:
        volume, cost = _tiered(tiers, known, volume_key(terms.price, usage.project, month), more, volumes)
        money = cost - (before.amount_micro - sum(one.micro for one in known.given.values()))
    credits_ = () if usage.is_duplicate else _credit(usage, known, before, terms, money, shelf)
    package, credit = sum(one.micro for one in hours), sum(one.units for one in credits_)
    amount = money + sum(one.worth_micro for one in hours)
    contract, whole = terms.contract, before.amount_micro + amount
    row = NewCharge(
        usage=usage.id,
        revision=usage.revision,
        period=period,
        project=usage.project,
        user=known.user,
        reference=usage.reference,
        price=terms.price.id,
        contract=contract.id,
        share_basis_points=contract.share_basis_points,
        list_micro=more,
        volume_micro=volume,
        amount_micro=amount,
        package_micro=package,
        credit_micro=credit,
        share_micro=part(whole, contract.share_basis_points) - before.share_micro,
        owner_micro=part(whole, contract.owner_basis_points) - before.owner_micro,
        dedication=terms.dedicated[0].id if terms.dedicated else None,
        dedicated_seconds=ran_seconds - usage.elapsed_seconds if terms.dedicated else None,
        currency=terms.price.currency,
        is_duplicate=usage.is_duplicate,
        volume_month=None if volume is None else month,
    )
    return Decided(row, (*hours, *credits_), terms)


def whole_amount(usage: Usage, terms: Terms, *, most: int = MOST_MICRO) -> int | Unrated:
    """The list amount, if no package pays of it."""
    try:
        whole = list_amount(usage, {}, terms)
    except RuleUnrated as why:
        return Unrated(why.en, why.zh)
    return ABSURD if whole > most else whole


def worked(usage: Usage) -> Worked:
    """Without what no source has told: a price that charges it has no answer."""
    quantities = {
        "cores": usage.cores,
        "nodes": usage.nodes,
        "gpus": usage.gpus,
        "memory_bytes": usage.memory_bytes,
        **usage.resources,
    }
    for name in usage.unsaid:
        quantities.pop(name, None)
    return Worked(
        quantities,
        usage.elapsed_seconds,
        usage.phase,
        usage.native_state,
        lists_all="resources" not in usage.unsaid,
    )


def list_amount(usage: Usage, covered: Mapping[Unit, int], terms: Terms) -> int:
    """Micro-units for what no package covers, of a usage as it is billed; Unrated (a rule's) where the price says
    nothing of such work, or nobody knows how it ended. What ran on nodes that are paid by the month alone costs nothing
    all the same."""
    if terms.dedicated and usage.elapsed_seconds == 0:
        return 0
    require_ended(usage.phase, usage.native_state)
    if terms.price.rule is not None:
        return rate_work(worked(usage), terms.price, 0).amount.micro
    if usage.resources or usage.unsaid:
        require_plain(worked(usage).quantities)
    cores = usage.core_seconds - covered.get(Unit.CORE_SECOND, 0)
    cards = usage.gpu_seconds - covered.get(Unit.CARD_SECOND, 0)
    return rate_hours(cores, cards, terms.price)


def volume_key(price: Price, project: ProjectId, month: date) -> VolumeKey:
    """Whose volume counts: the organisation's, where the price is its own."""
    payer = f"organisation:{price.organisation}" if price.organisation is not None else f"project:{project}"
    return payer, price.id, month


def _nothing(terms: Terms, month: date) -> Before:
    own = terms.dedicated[0].id if terms.dedicated else None
    return Before(terms.price.id, terms.contract.id, own, 0, 0, 0, 0, 0, 0, is_reversed=False, month=month)


def _hours(usage: Usage, known: Known, terms: Terms, shelf: Shelf) -> tuple[Use, ...]:
    """A rule's units are no hours: packages do not pay for them. A correction takes from packages what it adds; what
    it gives back was paid in money first."""
    if not shelf.packages or usage.is_duplicate or terms.price.rule is not None:
        return ()
    uses: list[Use] = []
    covered = _covered_by(known.given, ())
    place = place_of(usage, terms)
    for unit, wanted in units_of(usage.core_seconds, usage.gpu_seconds).items():
        had = 0 if known.is_whole else known.had.get(unit, 0)
        if wanted > had:
            uses += shelf.take(usage.project, unit, wanted - had, place, usage.ended_at, usage.reference)
        elif (too_many := covered.get(unit, 0) - wanted) > 0:
            uses += shelf.give_back(known.given, too_many, unit)
    return tuple(uses)


def _tiered(tiers: Tiers, known: Known, key: VolumeKey, more: int, volumes: dict[VolumeKey, int]) -> tuple[int, int]:
    """Where in its month's volume the list amount begins, and what the usage costs with it, by the tiers. What is
    charged again at the price at which it was taken back begins where it was."""
    _, price, _ = key
    volume = volumes.get(key, 0)
    volumes[key] = volume + more
    so_far = known.before.stretches if known.before is not None else ()
    if not known.is_whole:
        return volume, stretched(tiers, (*so_far, Stretch(volume, more)))
    if known.before is None or known.before.price != price or not so_far:
        return volume, stretched(tiers, [Stretch(volume, more)])
    return so_far[0].volume_micro, stretched(tiers, stretched_again(so_far, more))


def _credit(usage: Usage, known: Known, before: Before, terms: Terms, money: int, shelf: Shelf) -> tuple[Use, ...]:
    """What is given back goes to the wallet first, up to what that paid."""
    if not shelf.packages:
        return ()
    if money > 0:
        place = place_of(usage, terms)
        return tuple(shelf.take(usage.project, Unit.MICRO, money, place, usage.ended_at, usage.reference))
    from_wallet = before.amount_micro - sum(one.micro for one in known.given.values()) - before.credit_micro
    return tuple(shelf.give_back(known.given, max(-money - max(from_wallet, 0), 0), Unit.MICRO))


def units_of(core_seconds: int, gpu_seconds: int) -> dict[Unit, int]:
    return {Unit.CORE_SECOND: core_seconds, Unit.CARD_SECOND: gpu_seconds}


def place_of(usage: Usage, terms: Terms) -> Place:
    return Place(terms.price.product_line, usage.key.centre, usage.queue)


def _covered_by(given: Mapping[PackageId, Given], uses: tuple[Use, ...]) -> dict[Unit, int]:
    """Units that packages pay for, after these uses."""
    covered: dict[Unit, int] = {}
    both: tuple[Given | Use, ...] = (*given.values(), *uses)
    for one in both:
        covered[one.unit] = covered.get(one.unit, 0) + one.units
    return covered
