"""How Slurm's commands are asked, and what they write when a daemon behind them did not answer."""

from paracloud.dialects.answers import Answers

_SILENT = (
    "Unable to contact",
    "Socket timed out",
    "Zero Bytes",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "Communication connection failure",
    "connection failure",
    "Problem talking to the database",
    "Unable to connect to database",
    "Protocol authentication error",
    "standby mode",
    "Message receive failure",
    "Message send failure",
    "Unexpected message received",
    "slurm_persist_conn",
    "Resource temporarily unavailable",
)
"""What Slurm's commands write when a daemon behind them did not answer (slurm_errno.c, 22.05)."""
_ENVIRONMENT = ("env", "TZ=UTC0", "SLURM_TIME_FORMAT=%s")
"""Times as seconds since the epoch, so that the centre's own time zone does not matter."""

SLURM = Answers("Slurm", _SILENT)


def timed(*argv: str) -> tuple[str, ...]:
    return (*_ENVIRONMENT, *argv)
