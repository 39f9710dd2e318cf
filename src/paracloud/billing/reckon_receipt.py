"""A receipt's amounts, reckoned again from its own fields alone. Pure."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any
from uuid import UUID

from paracloud.billing.cover import Unit, Use
from paracloud.billing.fields import a_decimal
from paracloud.billing.rate import Price, rate_hours, rate_work
from paracloud.billing.rule import Worked
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import read_tiers
from paracloud.dialects.records import NativePhase
from paracloud.identity.product_line import ProductLine
from paracloud.kit.identifiers import PackageId, PriceVersionId

ROUNDINGS = 1
"""Micro-units: what two sums of tiers, each rounded to the nearest, can be off together."""
MICROS = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,9})?")
QUANTITIES = ("cores", "nodes", "gpus", "memory_bytes")
HOURS = {Unit.CORE_SECOND: "core_seconds", Unit.CARD_SECOND: "card_seconds"}


@dataclass(frozen=True, slots=True)
class Off:
    """A field of a receipt that the others do not come to: what it says, and what they come to."""

    field: str
    says: str
    comes_to: str


def is_reckonable(body: Mapping[str, Any]) -> bool:
    """Receipts of before lack what is needed for it."""
    return "before" in body


def reckon(body: Mapping[str, Any]) -> list[Off]:
    """What is off; nothing where all amounts are as they should be. KeyError, TypeError or ValueError where it lacks
    what a receipt says."""
    before = {name: int(value) for name, value in dict(body["before"] or {}).items()}
    paid = [_paid(one) for one in body["paid"]]
    worth = sum(one.micro + one.returned_micro for one in paid)
    credit = sum(one.units for one in paid if one.unit is Unit.MICRO)
    off: list[Off] = []
    if body["is_reversal"]:
        listed = -before["list_micro"]
        amount, credit = before["package_micro"] + worth - before["amount_micro"], -before["credit_micro"]
    else:
        listed = _listed(body, before, paid) - before.get("list_micro", 0)
        money, off = (listed, off) if body["tiers"] is None else _by_tiers(body, listed, worth, before)
        amount = money + worth
    due = {
        "list_micro": listed,
        "amount_micro": amount,
        "package_micro": sum(one.micro for one in paid),
        "credit_micro": credit,
    }
    return [*off, *(Off(name, body[name], str(micro)) for name, micro in due.items() if int(body[name]) != micro)]


def _paid(one: Mapping[str, Any]) -> Use:
    id_, unit = PackageId(UUID(one["package"])), Unit(one["unit"])
    return Use(id_, unit, int(one["units"]), int(one["micro"]), int(one["returned_micro"]))


def _listed(body: Mapping[str, Any], before: Mapping[str, int], paid: Sequence[Use]) -> int:
    """What all that no package covers costs, before tiers."""
    unsaid = frozenset(body.get("unsaid", ()))
    quantities = {name: int(body[name]) for name in QUANTITIES if name not in unsaid} | {
        name: int(count) for name, count in body.get("resources", {}).items()
    }
    seconds = int(body["elapsed_seconds"]) - _dedicated_seconds(body)
    if body["dedicated"] and seconds == 0:
        return 0
    card_hour = None if body["card_hour"] is None else a_decimal(body["card_hour"], "card_hour")
    price = Price(
        PriceVersionId(UUID(body["price"])),
        ProductLine(body["product_line"]),
        a_decimal(body["core_hour"], "core_hour"),
        card_hour,
        body["currency"],
        None if body["rule"] is None else read_rule(body["rule"]),
    )
    if price.rule is not None:
        phase, lists_all = NativePhase(body["phase"]), "resources" not in unsaid
        return rate_work(Worked(quantities, seconds, phase, body["state"], lists_all), price, 0).amount.micro
    covered = {
        unit: before.get(name, 0) + sum(one.units for one in paid if one.unit is unit) for unit, name in HOURS.items()
    }
    cores, cards = quantities["cores"] * seconds, quantities["gpus"] * seconds
    return rate_hours(cores - covered[Unit.CORE_SECOND], cards - covered[Unit.CARD_SECOND], price)


def _dedicated_seconds(body: Mapping[str, Any]) -> int:
    """On the customer's own nodes: all, where it is not said how many."""
    if not body["dedicated"]:
        return 0
    return int(body["elapsed_seconds"] if body["dedicated_seconds"] is None else body["dedicated_seconds"])


def _by_tiers(body: Mapping[str, Any], listed: int, worth: int, before: Mapping[str, int]) -> tuple[int, list[Off]]:
    """What the list amount costs by the parts of it that are told, which must be all of it, each at a tier's factor.
    Where in the month they begin is not told, so the two roundings of it cannot be reckoned."""
    parts = [(a_decimal(one["factor"], "factor"), _micros(one["list_micro"])) for one in body["tiered"] or []]
    exact = sum((Fraction(factor) * micro for factor, micro in parts), Fraction(0))
    whole = sum((micro for _, micro in parts), Fraction(0))
    known = {step.rate for step in read_tiers(body["tiers"]).steps}
    is_right = whole == listed and all(factor in known for factor, _ in parts)
    off = [] if is_right else [Off("tiered", str(whole), str(listed))]
    had = before.get("amount_micro", 0) - before.get("package_micro", 0)
    exact = max(exact, Fraction(-had))  # no more comes back than was charged
    said = int(body["amount_micro"]) - worth
    return (said if abs(said - exact) <= ROUNDINGS else round(exact)), off


def _micros(text: str) -> Fraction:
    if not MICROS.fullmatch(text):
        raise ValueError("no number of micro-units")
    return Fraction(text)
