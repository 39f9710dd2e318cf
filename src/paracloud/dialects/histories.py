"""The formats of old accounting logs that are read, by the names that a command line gives them."""

from collections.abc import Iterable, Mapping
from itertools import islice

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.history import Reader, Unreadable
from paracloud.dialects.pbs import history as pbs
from paracloud.dialects.slurm import history as slurm

READERS: Mapping[str, Reader] = {"sacct": slurm.read, "gridengine": gridengine.read, "pbs": pbs.read}
SAMPLE_LINES = 100


def format_of(lines: Iterable[str]) -> str | None:
    """The one format in which any of a log's first lines is understood; None: there is none, or more than one.
    Remarks, which one of them has, tell nothing."""
    sample = list(islice((line for line in lines if line.strip() and not line.startswith("#")), SAMPLE_LINES))
    found = [name for name, read in READERS.items() if _unread(read, sample) < len(sample)]
    return found[0] if len(found) == 1 else None


def _unread(read: Reader, sample: list[str]) -> int:
    return sum(isinstance(one, Unreadable) for one in read(sample))
