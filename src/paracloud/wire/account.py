"""Who asks, tokens, money, and the operator's own requests."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, MoneyModel, Name, Text, Time

Category = Literal["university", "institute", "enterprise", "government", "individual"]
RoleName = Literal["owner", "member", "viewer"]
ScopeName = Literal["read", "write", "admin"]
ProductLineName = Literal["general", "industry", "ai"]
Amount = Annotated[str, Field(max_length=24, examples=["100.00"])]


class ProjectModel(Model):
    id: UUID
    name: str
    organisation: str
    category: str
    product_line: ProductLineName
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
    """`available`: what the wallet has, besides what is `held` for jobs; below nothing, what is owed. `spendable`: what
    it has above its credit line."""

    available: MoneyModel
    held: MoneyModel
    spendable: MoneyModel


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
    product_line: ProductLineName = "general"


class ProductLineRequest(Model):
    product_line: ProductLineName


class ProductLineModel(Model):
    """`was`: the one that the project had before."""

    project: UUID
    product_line: ProductLineName
    was: ProductLineName


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
    key: Name


class CentreRequest(Model):
    """Without `host` only the centre's history is kept: nobody goes there, and it lends no account."""

    name: Text
    title_en: Text
    title_zh: Text
    host: Text | None = None
    port: int = Field(22, ge=1, le=65535)
    host_key: Annotated[str, Field(max_length=2000)] = ""
    dialect: Text = "slurm"
    service_account: Text | None = None
    accounts: list[Text] = Field(default_factory=list, max_length=10_000)
    commands_per_minute: int = Field(240, ge=12, le=6000)
    patience_seconds: int = Field(600, ge=1, le=604_800)
    overrun_seconds: int = Field(120, ge=0, le=86_400)
    region: Text = ""


class ReversalRequest(Model):
    """`usage`: which charge, where the entry is the sum of several. `anyway`: also a top-up that the wallet has no
    longer."""

    entry: UUID
    reason: Text
    usage: UUID | None = None
    anyway: bool = False


class Created(Model):
    id: str


class BookedModel(Created):
    """`is_new`: it was booked now, and had not been counted before."""

    is_new: bool


class DifferenceModel(Model):
    what: str
    where: str
    micro: int


class CheckModel(Model):
    """`ledger_sum_micro` is the sum of all postings: zero."""

    ledger_sum_micro: int
    differences: list[DifferenceModel]
