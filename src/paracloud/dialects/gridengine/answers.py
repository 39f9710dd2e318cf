"""What Grid Engine's commands write when the daemon behind them did not answer, and where its cell is."""

from paracloud.dialects.answers import Answers

_SILENT = (
    "unable to contact qmaster",
    "unable to send message to qmaster",
    "commlib error",
    "got no connection",
    "got read error",
    "got select error",
    "can't connect to service",
    "failed receiving gdi request",
    "failed sending gdi request",
    "Error reading answer list from qmaster",
    "denied: qmaster is not",
    "timeout while waiting",
    "Connection refused",
    "Resource temporarily unavailable",
)
"""Of 8.1.9, seen with a qmaster that was killed and one that was stopped, and msg_gdilib.h."""

GRID_ENGINE = Answers("Grid Engine", _SILENT)

CELL = r"""
common=${SGE_ROOT:-/nowhere}/${SGE_CELL:-default}/common
if [ ! -e "$common/act_qmaster" ]; then
  echo "no Grid Engine cell at $common: set SGE_ROOT and SGE_CELL for this account" >&2
  exit 66
fi
"""
"""Shell that finds the cell's common folder. A cell whose first job has not ended has no accounting file; a folder that
is not a cell's must not be taken for one."""
