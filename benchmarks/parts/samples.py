"""One sample of a scheduler's output, and how it was read."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from paracloud.dialects.records import NativePhase
from paracloud.kit.errors import ParacloudError

T = TypeVar("T")
MEANS: dict[str, frozenset[NativePhase]] = {
    "running": frozenset({NativePhase.RUNNING, NativePhase.ENDING}),
    "pending": frozenset({NativePhase.QUEUED}),
    "hold": frozenset({NativePhase.HELD}),
    "done": frozenset({NativePhase.COMPLETED}),
    "error": frozenset({NativePhase.FAILED, NativePhase.CANCELLED, NativePhase.TIMEOUT}),
}
"""The words of other projects, and which of our phases say the same."""
_SUSPENDED = "a suspended job counts as running here: it has its nodes, and goes on without a release"
_BYTES = "a bare number is bytes there; in Slurm's own answers, which our reader is for, it is mebibytes"
_LETTER = "Grid Engine's manual has no such letter by itself"
DIFFERENCES: dict[tuple[str, str], str] = {
    ("nextflow squeue", "22 S"): _SUSPENDED,
    **{("nextflow sge qstat", text): _SUSPENDED for text in ("1263 Tr", "24261953 T", "1265 S", "1269 s")},
    **{("nextflow sge qstat", text): _LETTER for text in ("1258 R", "1266 N", "1267 h", "1268 P")},
    ("nextflow pbs qstat", "15.localhost S"): _SUSPENDED,
    ("nextflow pbspro qstat", "15.localhost S"): _SUSPENDED,
    ("nextflow pbs qstat", "16.localhost E"): "that project does not know the state; here the job is ending",
    **{("slurm-scripts size", text): _BYTES for text in ("1", "1048575", "1048576")},
    (
        "apel sge accounting",
        "1630912",
    ): "elapsed is end less start, as XDMoD has it; the log's own clock says less",
    ("apel sge accounting", "3872561"): "milliseconds are cut; that project rounds them up to the next second",
}
"""What is read otherwise on purpose, and why."""


@dataclass(frozen=True, slots=True)
class Sample:
    """`place` is the project and what printed it. `why` is empty where it is read as asserted."""

    place: str
    name: str
    why: str = ""
    has_reader: bool = True


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a reader says where there is nothing to be read: the same as None."""

    text: str


def tried(read: Callable[[T], object], value: T) -> object:
    try:
        return read(value)
    except (ValueError, KeyError, ParacloudError) as error:
        return Refusal(f"{type(error).__name__}: {error}")


def judged(place: str, name: str, found: object, asserted: object) -> Sample:
    if found == asserted or (asserted is None and isinstance(found, Refusal)):
        return Sample(place, name)
    return Sample(place, name, DIFFERENCES.get((place, name)) or f"{asserted!r} is asserted, {found!r} was read")


def loaded(folder: Path, name: str) -> Any:
    return json.loads((folder / name).read_text())
