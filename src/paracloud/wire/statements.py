"""A month's statement and a job's bill on the wire; hours and amounts are decimal strings, amounts in the one currency
that is named."""

from datetime import date
from typing import Literal
from uuid import UUID

from paracloud.wire.base import Model, Time


class SumsModel(Model):
    """`list` is before volume tiers and without what packages paid; `wallet` is what neither packages nor credits
    pay of `amount`. `jobs` counts executions that were charged for the first time."""

    jobs: int
    core_hours: str
    card_hours: str
    list: str
    amount: str
    package: str
    credit: str
    wallet: str


class UsedModel(Model):
    project: str
    product_line: str
    centre: str
    queue: str
    sums: SumsModel


class UsedByModel(Model):
    """`user` is a login; of old logs the account at the centre."""

    project: str
    user: str
    sums: SumsModel


class MovementModel(Model):
    """What changed the account besides charges: less than nothing was taken from it. `about` names a package, or the
    place of dedicated nodes."""

    entry: UUID
    at: Time
    project: str
    kind: str
    about: str | None
    reason: str | None
    amount: str
    is_cost: bool


class MonthModel(Model):
    """A month (UTC) of a project, or of an organisation's projects together. `is_final`: the month is closed. `used`
    and `by_user` are the same charges, summed twice. `opening` + the movements + `charged` = `closing`."""

    number: str
    payer: str
    organisation: str
    period: date
    issued_at: Time
    is_final: bool
    currency: str
    total: SumsModel
    used: list[UsedModel]
    by_user: list[UsedByModel]
    opening: str
    movements: list[MovementModel]
    charged: str
    closing: str


class TakenModel(Model):
    """What a package or credit gave (negative: got back): `quantity` hours or, of a credit, yuan; `amount`, the part of
    its price that this is."""

    package: UUID
    name: str
    unit: str
    quantity: str
    amount: str


class BillLineModel(Model):
    """One charge. Hours are what it adds: those of a `correction` are a difference, those of a `reversal` negative.
    What is charged anew after a reversal is a `correction` with all its hours. An hour's prices are None where a
    charging rule says what it costs. `entry`: in the ledger; None where it moved nothing."""

    usage: UUID
    revision: int
    kind: Literal["usage", "correction", "reversal"]
    record_id: str
    centre: str
    queue: str
    product_line: str
    state: str
    started_at: Time | None
    ended_at: Time
    charged_at: Time
    cores: int
    cards: int
    elapsed_seconds: int
    price: UUID
    core_hour: str | None
    card_hour: str | None
    sums: SumsModel
    taken: list[TakenModel]
    reason: str | None
    entry: UUID | None


class BillModel(Model):
    job: UUID
    currency: str
    total: SumsModel
    lines: list[BillLineModel]
