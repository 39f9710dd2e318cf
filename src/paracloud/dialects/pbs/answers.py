"""What PBS's commands write when the server behind them did not answer, and when a job is gone."""

import re
from collections.abc import Sequence

from paracloud.dialects.answers import Answers
from paracloud.kit.command import Completed

_SILENT = (
    "annot connect to",
    "Could not connect to",
    "Unable to communicate",
    "Communication failure",
    "Connection refused",
    "Connection reset",
    "Connection timed out",
    "connection table full",
    "No free connections",
    "End of File",
    "End-of-File",
    "Server shutting down",
    "Server busy",
    "Time out",
    "pbs_iff",
    "trqauthd unable",
    "unable to authenticate",
    "Can not establish connection",
    "Protocol error",
    "Batch protocol error",
    "Resource temporarily unavailable",
)
"""Of OpenPBS (pbs_messages.c, 23.06) and Torque (pbs_error_db.h, 6.1)."""
OPENPBS, TORQUE = Answers("OpenPBS", _SILENT), Answers("Torque", _SILENT)

GONE = re.compile(
    r"[Uu]nknown Job Id|Job has finished|Job not found|state for job - COMPLETE|Unknown Array|maintain job history"
)
"""Of one job: it ended and left, or never was, or nothing is remembered of any that ended."""
_COMMANDS = ("qstat: ", "qselect: ", "qdel: ", "qsig: ", "qhold: ", "qrls: ")
FOREIGN = "Unauthorized Request"


def complaints(completed: Completed) -> list[str]:
    """What commands wrote beside their answer, without what a start-up file may have written."""
    lines = completed.stderr.decode(errors="replace").splitlines()
    return [line for line in lines if line.startswith(_COMMANDS)]


def output_though_gone(answers: Answers, completed: Completed, argv: Sequence[str]) -> str:
    """The output of a command that was asked of many jobs: that some of them are gone is no failure."""
    said = complaints(completed)
    if said and all(GONE.search(line) for line in said):
        completed = Completed(0, completed.stdout, b"", truncated=completed.truncated)
    return answers.output_of(completed, argv)
