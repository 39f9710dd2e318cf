"""What a centre is due for a month. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from fractions import Fraction

from paracloud.billing.contract import Contract
from paracloud.billing.period import begins, month_after
from paracloud.billing.tiers import worth
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
    """What a month's charges under one contract come to, in micro-units: as priced, and the centre's share of it."""

    count: int
    gross: int
    share: int


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
    id: DisputeId
    settlement: SettlementId
    usage: UsageId
    reason: str
    person: str
    opened_at: datetime
    adjusted: int
    answer: str | None
    answered_by: str | None
    answered_at: datetime | None


NOTHING = Charged(0, 0, 0)


def added(contracts: Sequence[Contract], charged: Mapping[ContractId, Charged], period: date) -> tuple[int, int, int]:
    """(tiers, minimum, fixed) of a centre's contracts for the month. Tiers are shares of the month's gross: what they
    make it more, or less, than the shares that were posted. A minimum counts for the part of the month that the
    contract holds, and so does a fixed cost."""
    tiers = minimum = fixed = 0
    for one in contracts:
        found, part = charged.get(one.id, NOTHING), part_of(one, period)
        more = 0
        if one.month.share_tiers is not None:
            more = round(worth(one.month.share_tiers, 0, Fraction(max(found.gross, 0), MICRO)) * MICRO) - found.share
        tiers += more
        minimum += max(round(one.month.minimum_micro * part) - found.share - more, 0) if one.month.minimum_micro else 0
        fixed += round(one.month.fixed_micro * part)
    return tiers, minimum, fixed


def part_of(contract: Contract, period: date) -> Fraction:
    """The part of the month that the contract holds."""
    start, end = begins(period), begins(month_after(period))
    first, last = max(start, contract.valid_from), min(end, contract.valid_to or end)
    return max(Fraction((last - first) // _TICK, (end - start) // _TICK), Fraction(0))


_TICK = datetime.resolution
