"""Durations and moments in a reason."""

from datetime import UTC, datetime, timedelta
from typing import Final

TWO_DIGITS: Final = [f"{number:02}" for number in range(60)]
"""To format them takes twice as long."""


def clock(duration: timedelta) -> str:
    """As Slurm writes a limit, of no less than nothing: hh:mm:ss, or d-hh:mm:ss; a begun second is left out."""
    minutes, seconds = divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    text = f"{TWO_DIGITS[hours]}:{TWO_DIGITS[minutes]}:{TWO_DIGITS[seconds]}"
    return f"{duration.days}-{text}" if duration.days else text


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC).isoformat(' ', 'minutes')[:16]} UTC"
