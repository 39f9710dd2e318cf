"""One thing that a project, an organisation or the operator is told of money."""

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
    RECONCILIATION = "reconciliation"
    """To the operator: the books of a day differ, or could not be compared."""
    DEDICATION_LAPSED = "dedication-lapsed"
    """The month's fee could not be paid: the nodes are the project's no longer. To it and to the operator."""
    SETTLEMENT_DISPUTED = "settlement-disputed"
    """To the operator: a centre does not accept its statement."""
    CENTRE_SICK = "centre-sick"
    """To the operator: the centre has failed for so long that it takes no new jobs."""
    CENTRE_WELL = "centre-well"
    CENTRE_GONE = "centre-gone"
    """To the operator: a person has said that the centre's machines are off."""
    GIVEN_UP_RAN = "given-up-ran"
    """To the operator: a job that was given up at such a centre has run there all the same, at the platform's cost."""


@dataclass(frozen=True, slots=True)
class Notice:
    """To a project, to an organisation, or with neither to the operator; `user`: whose budget it is about. `amount` is
    what there is (available, spent, missing, off, lost), `level` what it was held against, `reference` the job, the
    budget, the dedication, the centre and day, or the centre and month."""

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
