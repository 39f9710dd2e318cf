"""What a centre is due for a month. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from paracloud.billing.contract import Contract
from paracloud.billing.period import begins, month_after
from paracloud.billing.tiers import Tiers, worth
from paracloud.kit.identifiers import CentreName, ContractId, DisputeId, SettlementId, UsageId
from paracloud.kit.money import MICRO


class SettlementState(StrEnum):
    """Stated by the operator; confirmed by the centre, or disputed until every dispute is answered; paid."""

    STATED = "stated"
    DISPUTED = "disputed"
    CONFIRMED = "confirmed"
    PAID = "paid"


@dataclass(frozen=True, slots=True)
class Charged:
    """What a month's charges under one contract come to, in micro-units: as priced, the centre's share of it, and the
    part of who lent the nodes. `late_gross` and `late_share`: what of it corrects or takes back usage that an earlier
    month charged."""

    count: int
    gross: int
    share: int
    late_gross: int = 0
    late_share: int = 0
    owner: int = 0


@dataclass(frozen=True, slots=True)
class ContractSums:
    """What one contract comes to in a statement: its charges, and what it adds to their shares for the month."""

    contract: ContractId
    charged: Charged
    tiers: int
    minimum: int
    fixed: int


@dataclass(frozen=True, slots=True)
class Settlement:
    """Amounts in micro-units. `tiers`, `minimum` and `fixed` are what contracts add to the shares of the charges."""

    id: SettlementId
    centre: CentreName
    period: date
    currency: str
    state: SettlementState
    charges: int
    gross: int
    share: int
    tiers: int
    minimum: int
    fixed: int
    fees: int
    adjusted: int
    stated_at: datetime
    confirmed_at: datetime | None = None
    paid_at: datetime | None = None
    payment: str | None = None

    @property
    def total(self) -> int:
        return self.share + self.added + self.fees + self.adjusted

    @property
    def added(self) -> int:
        return self.tiers + self.minimum + self.fixed


@dataclass(frozen=True, slots=True)
class Dispute:
    """Of a line by its usage, or (None) of what is on no line."""

    id: DisputeId
    settlement: SettlementId
    usage: UsageId | None
    reason: str
    person: str
    opened_at: datetime
    adjusted: int
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


NOTHING = Charged(0, 0, 0)


def sums_of(contracts: Sequence[Contract], charged: Mapping[ContractId, Charged], period: date) -> list[ContractSums]:
    """Of the contracts that hold in the month, or that it charged under."""
    return [
        sums(one, charged.get(one.id, NOTHING), period)
        for one in contracts
        if one.id in charged or part_of(one, period)
    ]


def sums(one: Contract, charged: Charged, period: date) -> ContractSums:
    """By tiers the centre has shares of the month's gross: what they make it more, or less, than the shares that were
    posted. A minimum and a fixed cost count for the part of the month that the contract holds; a minimum is held
    against what the month's own use earned: what corrects or takes back earlier months comes on top of it, since those
    were settled, each with its own minimum."""
    part, tiers = part_of(one, period), one.month.share_tiers
    shares = _shares(tiers, charged.gross, charged.share)
    own = _shares(tiers, charged.gross - charged.late_gross, charged.share - charged.late_share)
    minimum = max(round(one.month.minimum_micro * part) - own, 0) if one.month.minimum_micro else 0
    return ContractSums(one.id, charged, shares - charged.share, minimum, round(one.month.fixed_micro * part))


def _shares(tiers: Tiers | None, gross: int, share: int) -> int:
    """A month that takes back more than it charges takes back what charging that much would give."""
    if tiers is None:
        return share
    size = round(worth(tiers, 0, Fraction(abs(gross), MICRO)) * MICRO)
    return size if gross >= 0 else -size


def part_of(contract: Contract, period: date) -> Fraction:
    """The part of the month that the contract holds."""
    start, end = begins(period), begins(month_after(period))
    first, last = max(start, contract.valid_from), min(end, contract.valid_to or end)
    return max(Fraction((last - first) // _TICK, (end - start) // _TICK), Fraction(0))


_TICK = datetime.resolution
