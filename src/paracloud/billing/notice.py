"""One thing that a project or an organisation is told of its money."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paracloud.kit.identifiers import OrganisationId, ProjectId, UserId
from paracloud.kit.money import Money


class NoticeKind(StrEnum):
    WALLET_LEVEL = "wallet-level"
    """The project's money came down to a level."""
    BUDGET_LEVEL = "budget-level"
    """What a budget counts came up to a level."""
    LANDING = "landing"
    """A running job's next slice cannot be paid: it gets its signal and then is stopped."""
    LANDING_CALLED_OFF = "landing-called-off"
    STOPPING = "stopping"


@dataclass(frozen=True, slots=True)
class Notice:
    """To a project or to an organisation; `user`: whose budget it is about. `amount` is what there is (available,
    spent, missing), `level` what it was held against, `reference` the job or the budget."""

    kind: NoticeKind
    en: str
    zh: str
    amount: Money
    at: datetime
    project: ProjectId | None = None
    organisation: OrganisationId | None = None
    user: UserId | None = None
    level: Money | None = None
    reference: str | None = None
