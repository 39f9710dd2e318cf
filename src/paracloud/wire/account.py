"""Who asks, tokens, money, and the operator's own requests."""

from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, MoneyModel, Text, Time

Category = Literal["university", "institute", "enterprise", "government", "individual"]
RoleName = Literal["owner", "member", "viewer"]
ScopeName = Literal["read", "write", "admin"]
Amount = Annotated[str, Field(max_length=24, examples=["100.00"])]


class ProjectModel(Model):
    id: UUID
    name: str
    organisation: str
    category: str
    role: str


class WhoAmI(Model):
    login: str
    is_operator: bool
    scopes: list[str]
    projects: list[ProjectModel]


class TokenRequest(Model):
    name: Text
    scopes: list[ScopeName] = Field(max_length=3)
    days: int = Field(30, ge=1, le=366)


class TokenModel(Model):
    id: UUID
    name: str
    scopes: list[str]
    created_at: Time
    expires_at: Time
    revoked_at: Time | None


class TokenList(Model):
    items: list[TokenModel]


class IssuedToken(Model):
    """The only time that the token's text is shown."""

    id: UUID
    token: str


class BalanceModel(Model):
    available: MoneyModel
    held: MoneyModel


class LineModel(Model):
    entry: UUID
    at: Time
    kind: str
    reference: str | None
    reason: str | None
    amount: MoneyModel
    balance: MoneyModel


class StatementModel(Model):
    project: UUID
    start: Time
    end: Time
    opening: MoneyModel
    lines: list[LineModel]
    closing: MoneyModel


class OrganisationRequest(Model):
    name: Text
    category: Category


class ProjectRequest(Model):
    organisation: UUID
    name: Text


class UserRequest(Model):
    login: Text
    is_operator: bool = False


class MemberRequest(Model):
    login: Text
    project: UUID
    role: RoleName


class TopUpRequest(Model):
    """`key` is the payment's own number: the same payment counts once."""

    project: UUID
    amount: Amount
    key: Text


class TierModel(Model):
    """From `starts_at` yuan a month on, amounts are multiplied by `rate`."""

    starts_at: Amount
    rate: Amount


class PriceRequest(Model):
    """Either `core_hour` (and `card_hour`), or a charging rule, whose weights are then prices for an hour. `qos`: that
    quality of service alone. `project` or `organisation`: that customer's own price, before everybody's."""

    centre: Text
    queue: Text
    product_line: Text = "general"
    core_hour: Amount | None = None
    card_hour: Amount = "0"
    rule: dict[str, Any] | None = Field(
        default=None, examples=[{"units": {"resource": "cores", "weight": "0.1"}, "free": ["nodes", "memory_bytes"]}]
    )
    qos: Text | None = None
    project: UUID | None = None
    organisation: UUID | None = None
    tiers: list[TierModel] | None = Field(default=None, min_length=1, max_length=20)
    currency: Literal["CNY"] = "CNY"
    valid_from: Time | None = None
    valid_to: Time | None = None


class PriceModel(Model):
    id: UUID
    centre: str
    queue: str
    product_line: str
    core_hour: str
    card_hour: str
    rule: dict[str, Any] | None
    qos: str | None
    project: UUID | None
    organisation: UUID | None
    tiers: list[TierModel] | None
    currency: str
    valid_from: Time
    valid_to: Time | None


class PriceList(Model):
    items: list[PriceModel]


class EndRequest(Model):
    """`at`: now, where it is left out; never in the past."""

    at: Time | None = None


class UnratedModel(Model):
    usage: UUID
    centre: str
    queue: str
    record_id: str
    project: UUID
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
    own. For a whole month: `share_tiers` (parts of its gross, 0 to 1, by yuan), the least that the centre gets, and
    what capacity costs that was bought."""

    centre: Text
    share_basis_points: int = Field(ge=0, le=10_000)
    queue: Text | None = None
    owner: UUID | None = None
    owner_basis_points: int = Field(0, ge=0, le=10_000)
    share_tiers: list[TierModel] | None = Field(default=None, min_length=1, max_length=20)
    minimum: Amount = "0"
    fixed: Amount = "0"
    valid_from: Time | None = None
    valid_to: Time | None = None


class CentreRequest(Model):
    name: Text
    title_en: Text
    title_zh: Text
    host: Text
    port: int = Field(22, ge=1, le=65535)
    host_key: Annotated[str, Field(max_length=2000)]
    dialect: Text = "slurm"
    service_account: Text
    accounts: list[Text] = Field(min_length=1, max_length=10_000)
    commands_per_minute: int = Field(240, ge=1, le=6000)
    patience_seconds: int = Field(600, ge=1, le=604_800)
    overrun_seconds: int = Field(120, ge=0, le=86_400)
    region: Text = ""


class ReversalRequest(Model):
    """`usage`: which charge, where the entry is the sum of several."""

    entry: UUID
    reason: Text
    usage: UUID | None = None


class Created(Model):
    id: str


class DifferenceModel(Model):
    what: str
    where: str
    micro: int


class CheckModel(Model):
    """`ledger_sum_micro` is the sum of all postings: zero."""

    ledger_sum_micro: int
    differences: list[DifferenceModel]


class MismatchModel(Model):
    """`amount`: how much we have too much, or, negative, too little."""

    cause: str
    record_id: str
    project: UUID
    amount: MoneyModel
    en: str
    zh: str


class ReconciliationModel(Model):
    """What ended at the centre in [start, end): its accounting, our charges, and what is settled with it."""

    centre: str
    start: Time
    end: Time
    records: int
    accounted: MoneyModel
    charged: MoneyModel
    settled: MoneyModel
    mismatches: list[MismatchModel]
