"""What a usage comes to by the terms that hold for it, whatever was charged. Pure."""

from collections.abc import Collection
from dataclasses import dataclass

from paracloud.billing.charges import Before, Unrated
from paracloud.billing.cover import Given, Unit
from paracloud.billing.decide import list_amount
from paracloud.billing.pick import Terms
from paracloud.billing.rate import graduated, part, stretched
from paracloud.billing.rule import Unrated as RuleUnrated
from paracloud.metering.usage import Usage


@dataclass(frozen=True, slots=True)
class Due:
    """Of the customer, for the centre, and for who lent the nodes."""

    amount_micro: int
    share_micro: int
    owner_micro: int


def due_of(usage: Usage, terms: Terms | Unrated, before: Before | None, given: Collection[Given]) -> Due | Unrated:
    """What packages gave stays paid by them, and at a price with tiers each charge begins where the month's volume was
    `before`."""
    if isinstance(terms, Unrated):
        return terms
    usage = terms.billed(usage)
    totals = {Unit.CORE_SECOND: usage.core_seconds, Unit.CARD_SECOND: usage.gpu_seconds}
    covered = {unit: min(sum(one.units for one in given if one.unit is unit), most) for unit, most in totals.items()}
    try:
        listed = list_amount(usage, covered, terms)
    except RuleUnrated as why:
        return Unrated(why.en, why.zh)
    amount = listed + sum(one.micro for one in given)
    tiers = terms.price.tiers
    if tiers is not None and not usage.is_duplicate:
        had = before.stretches if before is not None and before.price == terms.price.id else ()
        charged = sum(one.list_micro for one in had)
        amount += stretched(tiers, had) - charged if had else graduated(tiers, 0, listed) - listed
    contract = terms.contract
    return Due(amount, part(amount, contract.share_basis_points), part(amount, contract.owner_basis_points))


def micro_of(due: Due | Unrated) -> int:
    """Of the customer, as far as it is known."""
    return due.amount_micro if isinstance(due, Due) else 0
