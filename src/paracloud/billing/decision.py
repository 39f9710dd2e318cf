"""What a person decided that a usage costs, where no rule says it."""

from dataclasses import dataclass
from datetime import datetime

from paracloud.kit.identifiers import PriceVersionId, UsageId


@dataclass(frozen=True, slots=True)
class Decision:
    """Of one revision: it is charged whole at `price`, or, where that is None, costs nothing. `is_carried`: nothing
    that is charged for has changed since a person decided that it costs nothing, and that holds for it too."""

    usage: UsageId
    revision: int
    price: PriceVersionId | None
    reason: str
    person: str
    at: datetime
    is_carried: bool = False

    @property
    def waives(self) -> bool:
        return self.price is None
