"""Who agreed on a price or a contract, and when."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Agreed:
    """Logins. None: it was agreed on before that was kept; `ended_by` None also where nobody set another end than the
    one that it was made with."""

    created_at: datetime | None = None
    created_by: str | None = None
    ended_by: str | None = None


BEFORE = Agreed()
"""Nobody knows."""


def holds(valid_from: datetime, valid_to: datetime | None, when: datetime) -> bool:
    """Whether what is agreed for [valid_from, valid_to) holds for what a centre dates `when`: by whole seconds, since
    that is what centres keep. Else a job would come too early for what began within the second of its submission."""
    at = when if when.microsecond == 0 else when.replace(microsecond=0)
    # Nearly always the first says it: asked of each price and contract for each usage, it spares a copy.
    has_begun = valid_from <= at or valid_from.replace(microsecond=0) <= at
    return has_begun and (valid_to is None or at < valid_to.replace(microsecond=0))
