"""What a project, and the operator, is told of money."""

from typing import Literal
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, MoneyModel, Time


class NoticeModel(Model):
    """Numbers grow: the newest that was read is the next call's `after`. `amount` is what there is (available, spent,
    missing; left out where it is the whole organisation's), `level` what it was held against, `reference` the job,
    the budget, the dedicated nodes, the centre and day or month, `user` whose budget it is about."""

    id: int
    kind: Literal[
        "wallet-level",
        "budget-level",
        "landing",
        "landing-called-off",
        "stopping",
        "reconciliation",
        "dedication-lapsed",
        "settlement-disputed",
        "centre-sick",
        "centre-well",
        "centre-gone",
        "given-up-ran",
    ]
    at: Time
    en: str
    zh: str
    amount: MoneyModel | None
    level: MoneyModel | None
    reference: str | None
    user: UUID | None
    of: Literal["project", "organisation", "operator"]


class NoticeList(Model):
    items: list[NoticeModel] = Field(description="By number; the last page where it is shorter than `limit`.")
