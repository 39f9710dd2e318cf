"""Settlement with centres, on the wire."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.account import Amount
from paracloud.wire.base import LongText, Model, MoneyModel, Name, Text, Time
from paracloud.wire.paying import Month
from paracloud.wire.tariffs import TierModel


class SettlementModel(Model):
    """`share` of the charges' `gross`; `tiers`, `minimum` and `fixed` are what the contracts add for the month, `fees`
    the centre's part of dedicated nodes, `adjusted` what answered disputes made it more or less."""

    id: UUID
    centre: str
    month: Month
    state: Literal["stated", "disputed", "confirmed", "paid"]
    charges: int
    gross: MoneyModel
    share: MoneyModel
    tiers: MoneyModel
    minimum: MoneyModel
    fixed: MoneyModel
    fees: MoneyModel
    adjusted: MoneyModel
    total: MoneyModel
    stated_at: Time
    confirmed_at: Time | None
    paid_at: Time | None
    payment: str | None


class SettlementList(Model):
    items: list[SettlementModel]


class DayModel(Model):
    """What ended on a day (UTC) in a queue."""

    day: date
    queue: str
    charges: int
    core_hours: str
    card_hours: str
    gross: MoneyModel
    share: MoneyModel


class ContractSumsModel(Model):
    """What is agreed in one contract, and what it came to. `share_basis_points` of each charge's gross are its share,
    `owner_basis_points` go to who lends the nodes (`owner`). With `share_tiers` the shares of the month are the tiers'
    parts of `gross`, and `tiers` the difference to `share`. `late_…` is what of the charges corrects or takes back
    earlier months. `minimum` is what is missing to `agreed_minimum` (of the part of the month in which the contract
    holds) in the shares of the rest; `fixed` that part of `agreed_fixed`."""

    id: UUID
    queue: str | None
    valid_from: Time
    valid_to: Time | None
    share_basis_points: int
    owner_basis_points: int
    share_tiers: list[TierModel] | None
    agreed_minimum: MoneyModel
    agreed_fixed: MoneyModel
    charges: int
    gross: MoneyModel
    share: MoneyModel
    owner: MoneyModel
    late_gross: MoneyModel
    late_share: MoneyModel
    tiers: MoneyModel
    minimum: MoneyModel
    fixed: MoneyModel


class DisputeModel(Model):
    """`usage`: the line; without one, it is about what is on no line."""

    id: UUID
    usage: UUID | None
    reason: str
    person: str
    opened_at: Time
    adjusted: MoneyModel
    answer: str | None
    answered_at: Time | None


class OpenDisputeModel(DisputeModel):
    """It waits for the operator's answer."""

    settlement: UUID
    centre: str
    month: Month


class SettlingModel(Model):
    """What waits for the operator over all centres: statements that are disputed or to be paid, and the disputes to
    answer. Of a month, all its statements."""

    items: list[SettlementModel]
    disputes: list[OpenDisputeModel]


class StatedModel(Model):
    """A centre's statement of a month, by contract, and by day and queue, with its disputes."""

    settlement: SettlementModel
    contracts: list[ContractSumsModel]
    days: list[DayModel]
    disputes: list[DisputeModel]


class SettledLineModel(Model):
    """One charge: the centre's own names, what it cost, and the centre's share by the `contract`. `resources`: licences
    and the like. `elapsed_seconds` is the record's, as this revision has it; `core_seconds` and `card_seconds`
    are what the charge adds: those of a correction are a difference, those of a reversal negative, and all of them come
    to the statement's hours."""

    usage: UUID
    revision: int
    is_reversal: bool
    contract: UUID
    record_id: str
    account: str
    queue: str
    ended_at: Time
    cores: int
    gpus: int
    resources: dict[str, int]
    elapsed_seconds: int
    core_seconds: int
    card_seconds: int
    gross: MoneyModel
    share: MoneyModel


class SettledLineList(Model):
    items: list[SettledLineModel]
    next: str | None


class DisputeRequest(Model):
    """`usage`: the line; without one, what is on no line: a fee, what a contract adds, a job that is missing."""

    usage: UUID | None = None
    reason: Annotated[LongText, Field(max_length=1000)]


class AnswerRequest(Model):
    """`adjustment`: what the centre gets besides, or, negative, less. `beyond_charge`: it is meant to be more than the
    line's whole charge, or less for a usage that was reversed, which is refused otherwise."""

    answer: Annotated[LongText, Field(max_length=1000)]
    adjustment: Amount = "0"
    beyond_charge: bool = False


class PaymentRequest(Model):
    """`payment` is the transfer's own number. `from_centre`: the centre paid it, which was due less than
    nothing."""

    payment: Name
    from_centre: bool = False


class CentrePersonRequest(Model):
    login: Text
    centre: Text


class CentrePersonModel(Model):
    """Who speaks for a centre."""

    centre: str
    login: str


class CentrePersonList(Model):
    items: list[CentrePersonModel]
