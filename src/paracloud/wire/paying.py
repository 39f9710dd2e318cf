"""Ways to pay: packages and credits, dedicated nodes, funding, budgets, billing periods."""

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.account import Amount, ProductLineName
from paracloud.wire.base import Model, MoneyModel, Name, Text, Time

Kind = Literal["core-hours", "card-hours", "credit"]
Month = Annotated[str, Field(pattern=r"^\d{4}-\d{2}$", examples=["2026-06"])]
Centre = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,30}$", examples=["east"])]
"""Of a path; `CentreName` says what it is."""


class PackageRequest(Model):
    """`amount`: hours, or yuan of a credit, which has no price. A place that is left out is any. `is_unseen`: of a
    centre whose queues the platform has not seen yet, take the queue's name as it is."""

    project: UUID
    name: Text
    kind: Kind = "core-hours"
    amount: Amount
    price: Amount = "0"
    product_line: ProductLineName | None = None
    centre: Text | None = None
    queue: Name | None = None
    is_unseen: bool = False
    valid_from: Time | None = None
    expires_at: Time


class PackageModel(Model):
    """Hours, or yuan of a credit, as exact decimals; `reserved` waits for jobs that were accepted."""

    id: UUID
    name: str
    kind: Kind
    total: str
    used: str
    reserved: str
    left: str
    price: MoneyModel
    product_line: str | None
    centre: str | None
    queue: str | None
    valid_from: Time
    expires_at: Time
    closed_at: Time | None


class DedicationRequest(Model):
    """All nodes of a queue. The fee of a month is due at its beginning, of those that have begun now. `is_unseen`: of a
    centre whose queues the platform has not seen yet, take the name as it is."""

    project: UUID
    centre: Text
    queue: Name
    nodes: int = Field(ge=1, le=1_000_000)
    is_unseen: bool = False
    monthly: Amount
    share_basis_points: int = Field(ge=0, le=10_000)
    valid_from: Time | None = None
    valid_to: Time | None = None


class DedicationModel(Model):
    """`created_by`, `ended_by`: logins; null where that was not kept yet, or nobody has."""

    id: UUID
    project: UUID
    centre: str
    queue: str
    nodes: int
    monthly: MoneyModel
    valid_from: Time
    valid_to: Time | None
    created_at: Time | None
    created_by: str | None
    ended_by: str | None


class DedicationList(Model):
    items: list[DedicationModel]


class FundingRequest(Model):
    """How a project pays when its wallet is empty; what is left out stays as it was agreed. `line`: how far below
    nothing the wallet may go. `hold_seconds`: how much of a job's time limit is reserved at once, and again while it
    runs; null: all of it."""

    line: Amount = "0"
    hold_seconds: int | None = Field(None, ge=60, le=31_536_000)
    warnings: list[Amount] = Field(default_factory=list, max_length=10)
    signal: Text = "USR1"
    grace_seconds: int = Field(600, ge=0, le=86_400)


class FundingModel(Model):
    line: MoneyModel
    hold_seconds: int | None
    warnings: list[MoneyModel]
    signal: str
    grace_seconds: int


class FundingChangeModel(Model):
    """The whole of it, before and after."""

    project: UUID
    before: FundingModel
    after: FundingModel


class BudgetRequest(Model):
    """Of an organisation, of a project, or of one user (`login`) within a project. A hard budget refuses what could
    exceed it, a soft one tells at each of `warn_percent`."""

    organisation: UUID | None = None
    project: UUID | None = None
    login: Text | None = None
    amount: Amount
    is_monthly: bool = True
    is_hard: bool = True
    warn_percent: list[int] = Field(default_factory=lambda: [80, 100], max_length=10)
    valid_from: Time | None = None
    valid_to: Time | None = None


class UsersBudgetRequest(Model):
    """For one user of the project, by an owner of it; as a BudgetRequest otherwise."""

    login: Text
    amount: Amount
    is_monthly: bool = True
    is_hard: bool = True
    warn_percent: list[int] = Field(default_factory=lambda: [80, 100], max_length=10)
    valid_from: Time | None = None
    valid_to: Time | None = None


class BudgetModel(Model):
    """`payer`: the name of the organisation or project; of a user's, `login` says whose. `spent`: charged, and the most
    that accepted jobs can still cost; not shown of a whole organisation. `is_owners`: set by an owner of the project,
    who can end it; otherwise the operator's. `created_by`, `ended_by`: logins; null where that was not kept yet, or
    nobody has."""

    id: UUID
    of: Literal["organisation", "project", "user"]
    organisation: UUID | None
    project: UUID | None
    payer: str
    user: UUID | None
    login: str | None
    amount: MoneyModel
    spent: MoneyModel | None
    is_monthly: bool
    is_hard: bool
    warn_percent: list[int]
    valid_from: Time
    valid_to: Time | None
    is_owners: bool
    created_at: Time | None
    created_by: str | None
    ended_by: str | None


class BudgetList(Model):
    items: list[BudgetModel]


class PayingModel(Model):
    """How a project pays, and what it may spend."""

    project: UUID
    funding: FundingModel
    packages: list[PackageModel]
    dedicated: list[DedicationModel]
    budgets: list[BudgetModel]


class PeriodModel(Model):
    """A calendar month (UTC); `unrated` usages that ended in it, or in a month before it that is closed or
    has no charges, keep it and later ones open."""

    month: Month
    closed_at: Time | None
    closed_by: str | None
    unrated: int


class PeriodList(Model):
    items: list[PeriodModel]
