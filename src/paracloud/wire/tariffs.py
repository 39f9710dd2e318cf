"""Prices, contracts and unrated usage, on the wire."""

from typing import Any, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.account import Amount, ProductLineName
from paracloud.wire.base import Model, MoneyModel, Name, Text, Time


class TierModel(Model):
    """From `starts_at` yuan a month on, amounts are multiplied by `rate`."""

    starts_at: Amount
    rate: Amount


class PriceRequest(Model):
    """Either `core_hour` (and `card_hour`), or a charging rule, whose weights are then prices for an hour. Without
    `card_hour` the price says nothing of cards: what uses any is unrated; "0" makes them free. `qos`: that quality of
    service alone. `project` or `organisation`: that customer's own price, before everybody's. `is_unseen`: of a queue
    that the platform does not see at a centre whose queues it has seen."""

    centre: Text
    queue: Name
    product_line: ProductLineName = "general"
    core_hour: Amount | None = None
    card_hour: Amount | None = None
    rule: dict[str, Any] | None = Field(
        default=None, examples=[{"units": {"resource": "cores", "weight": "0.1"}, "free": ["nodes", "memory_bytes"]}]
    )
    qos: Name | None = None
    project: UUID | None = None
    organisation: UUID | None = None
    tiers: list[TierModel] | None = Field(default=None, min_length=1, max_length=20)
    currency: Literal["CNY"] = "CNY"
    is_unseen: bool = False
    valid_from: Time | None = None
    valid_to: Time | None = None


class PriceModel(Model):
    """One that was withdrawn ends as it begins. Who made and ended it is null for what is older than that is kept."""

    id: UUID
    centre: str
    queue: str
    product_line: ProductLineName
    core_hour: str
    card_hour: str | None
    rule: dict[str, Any] | None
    qos: str | None
    project: UUID | None
    organisation: UUID | None
    tiers: list[TierModel] | None
    currency: str
    valid_from: Time
    valid_to: Time | None
    created_at: Time | None
    created_by: str | None
    ended_by: str | None


class PriceList(Model):
    items: list[PriceModel]


class EndRequest(Model):
    """`at`: now, where it is left out; never in the past."""

    at: Time | None = None


class UnratedModel(Model):
    """`resources`: what it had beside cores, nodes, GPUs and memory, by name, such as licence.matlab."""

    usage: UUID
    centre: str
    queue: str
    record_id: str
    project: UUID
    resources: dict[str, int]
    en: str
    zh: str
    listed_at: Time


class UnratedList(Model):
    items: list[UnratedModel]
    next: str | None


class ChargedModel(Model):
    """Usages that were charged now, and those that still wait."""

    charged: int
    left: int


class ContractRequest(Model):
    """With a centre, or about one of its queues. `owner`: whose the nodes are, with a part of every charge of their
    own. For a whole month: `share_tiers` (parts of its gross, 0 to 1, by yuan), the least that the centre gets by this
    contract (of several, each has its own), and what capacity costs that was bought. `is_unseen`: as of a price."""

    centre: Text
    share_basis_points: int = Field(ge=0, le=10_000)
    queue: Name | None = None
    owner: UUID | None = None
    owner_basis_points: int = Field(0, ge=0, le=10_000)
    share_tiers: list[TierModel] | None = Field(default=None, min_length=1, max_length=20)
    minimum: Amount = "0"
    fixed: Amount = "0"
    is_unseen: bool = False
    valid_from: Time | None = None
    valid_to: Time | None = None


class ContractModel(Model):
    """As `ContractRequest`; `share_tiers` null where the month has none."""

    id: UUID
    centre: str
    queue: str | None
    share_basis_points: int
    owner: UUID | None
    owner_basis_points: int
    share_tiers: list[TierModel] | None
    minimum: MoneyModel
    fixed: MoneyModel
    valid_from: Time
    valid_to: Time | None
    created_at: Time | None
    created_by: str | None
    ended_by: str | None


class ContractList(Model):
    items: list[ContractModel]
