"""Settlement with centres, on the wire."""

from datetime import date
from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.account import Amount
from paracloud.wire.base import LongText, Model, MoneyModel, Name, Text, Time
from paracloud.wire.paying import Month


class SettlementModel(Model):
    """`share` of the charges' `gross`; `tiers`, `minimum` and `fixed` are what the contracts add for the month, `fees`
    the centre's part of dedicated nodes, `adjusted` what answered disputes made it more or less."""

    id: UUID
    centre: str
    month: Month
    state: Literal["stated", "disputed", "confirmed", "paid"]
    charges: int
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
    share: MoneyModel


class DisputeModel(Model):
    id: UUID
    usage: UUID
    reason: str
    person: str
    opened_at: Time
    adjusted: MoneyModel
    answer: str | None
    answered_at: Time | None


class StatedModel(Model):
    """A centre's statement of a month, by day and queue, with its disputes."""

    settlement: SettlementModel
    days: list[DayModel]
    disputes: list[DisputeModel]


class SettledLineModel(Model):
    """One charge: the centre's own names, and its share."""

    usage: UUID
    revision: int
    is_reversal: bool
    record_id: str
    account: str
    queue: str
    ended_at: Time
    cores: int
    gpus: int
    elapsed_seconds: int
    share: MoneyModel


class SettledLineList(Model):
    items: list[SettledLineModel]
    next: str | None


class DisputeRequest(Model):
    usage: UUID
    reason: Annotated[LongText, Field(max_length=1000)]


class AnswerRequest(Model):
    """`adjustment`: what the centre gets besides, or, negative, less."""

    answer: Annotated[LongText, Field(max_length=1000)]
    adjustment: Amount = "0"


class PaymentRequest(Model):
    """`payment` is the transfer's own number."""

    payment: Name


class CentrePersonRequest(Model):
    login: Text
    centre: Text
