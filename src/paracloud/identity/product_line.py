"""Product lines: which of the operator's offers a project buys, and since when."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class ProductLine(StrEnum):
    """Prices may be of a line of their own; those of GENERAL are for all."""

    GENERAL = "general"
    INDUSTRY = "industry"
    AI = "ai"


@dataclass(frozen=True, slots=True)
class Lines:
    """Of one project: the line that it has now, and those that it had, each with the moment of its end, oldest
    first."""

    now: ProductLine
    past: tuple[tuple[datetime, ProductLine], ...] = ()

    def at(self, when: datetime) -> ProductLine:
        return next((line for end, line in self.past if when < end), self.now)
