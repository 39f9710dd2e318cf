"""Durations and moments in a reason."""

from datetime import UTC, datetime, timedelta


def clock(duration: timedelta) -> str:
    """As Slurm writes a limit, of no less than nothing: hh:mm:ss, or d-hh:mm:ss; a begun second is left out."""
    days, (minutes, seconds) = duration.days, divmod(duration.seconds, 60)
    hours, minutes = divmod(minutes, 60)
    return f"{days}-{hours:02}:{minutes:02}:{seconds:02}" if days else f"{hours:02}:{minutes:02}:{seconds:02}"


def moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
