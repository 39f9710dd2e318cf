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
