"""A look at one day of a centre, as it is kept."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from paracloud.kit.identifiers import CentreName


class LookState(StrEnum):
    """What a look found: both sides' books are one, they are not, or the centre did not tell."""

    AGREES = "agrees"
    DIFFERS = "differs"
    UNANSWERED = "unanswered"


@dataclass(frozen=True, slots=True)
class Look:
    """One look at a day (UTC) of a centre. `untold`: usages of ours that it does not tell and need not,
    and no log does.
    `differences` and `off_micro`: how many, and the sum of their sizes, in micro-units.
    `reason_en` and `reason_zh`: why there is nothing to compare; then every figure is 0."""

    centre: CentreName
    day: date
    attempt: int
    at: datetime
    records: int = 0
    untold: int = 0
    accounted_micro: int = 0
    charged_micro: int = 0
    settled_micro: int = 0
    differences: int = 0
    off_micro: int = 0
    reason_en: str | None = None
    reason_zh: str | None = None

    @property
    def is_answered(self) -> bool:
        return self.reason_en is None

    @property
    def agrees(self) -> bool:
        return self.is_answered and not self.differences

    @property
    def state(self) -> LookState:
        if not self.is_answered:
            return LookState.UNANSWERED
        return LookState.AGREES if self.agrees else LookState.DIFFERS
