"""What differs between the centre's accounting, our charges and the settlement."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from paracloud.kit.identifiers import CentreName, ProjectId


class Cause(StrEnum):
    """What a difference comes from, in the order in which it is looked for."""

    NOT_METERED = "not metered"
    """The centre accounts for it; we never charged it."""
    NOT_ACCOUNTED = "not accounted"
    """We charged it; the centre's accounting does not have it."""
    UNREAD = "unread"
    """A row of the centre's accounting that is not understood: nobody is charged by it."""
    CHANGED = "changed"
    """The centre's figures are not those that we charged."""
    WRONG_OWNER = "wrong owner"
    """It is another project's than the one that the account was lent to when it was submitted."""
    DOUBLED = "doubled"
    """It has the name of a job of ours, and is none: told twice, or started by hand under that name."""
    UNRATED = "unrated"
    WRONG_PRICE = "wrong price"
    WRONG_AMOUNT = "wrong amount"
    WRONG_SHARE = "wrong share"
    NOT_SETTLED = "not settled"
    """What is posted to the centre, or to who lent the nodes, is not what the charge says."""


@dataclass(frozen=True, slots=True)
class Mismatch:
    """`micro`: how much we have too much (or, negative, too little) of what the customer pays; for WRONG_SHARE and
    NOT_SETTLED, of what the centre, or who lent the nodes, gets."""

    cause: Cause
    record_id: str
    project: ProjectId
    micro: int
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """`records`: the centre's, of accounts that projects have and of usages of ours; `untold`: usages of ours that it
    does not tell, and need not, and no log does. Amounts are sums of the day, in micro-units."""

    centre: CentreName
    start: datetime
    end: datetime
    records: int
    accounted_micro: int
    """What the centre's accounting comes to by the terms that hold, but for what a person reversed or waived."""
    charged_micro: int
    settled_micro: int
    mismatches: tuple[Mismatch, ...]
    untold: int = 0
