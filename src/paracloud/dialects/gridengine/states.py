"""Grid Engine's letters for the state of a job (man qstat, "status of the job"; 8.1.9)."""

from paracloud.dialects.records import NativePhase

_KNOWN = frozenset("acdEhqrRsStTwz")
ERROR = "Grid Engine set the job into its error state: its start failed; release or cancel it"


DEPENDENCY = "Dependency"
"""Slurm's word for it."""


def phase(letters: str, *, has_predecessors: bool = False) -> NativePhase:
    """A job in error (Eqw) waits until somebody clears the error: it is held, not gone. One that is deleted while it
    runs (dr) is ending; a restarted one (Rr, Rq) is what it would be the first time. Grid Engine has one letter for a
    job that is held and for one that waits for another: the latter is queued, as under Slurm."""
    seen = frozenset(letters)
    if not letters or not seen <= _KNOWN:
        return NativePhase.UNKNOWN
    if "q" in seen or "w" in seen:
        is_held = "E" in seen or ("h" in seen and not has_predecessors)
        return NativePhase.HELD if is_held else NativePhase.QUEUED
    if "E" in seen:
        return NativePhase.HELD
    if seen & {"d", "z"}:
        return NativePhase.ENDING
    if seen == {"h"}:
        return NativePhase.HELD
    return NativePhase.RUNNING if seen & frozenset("rtsSTR") else NativePhase.UNKNOWN


def reason(letters: str, *, has_predecessors: bool = False) -> str:
    if "E" in letters:
        return ERROR
    return DEPENDENCY if "h" in letters and has_predecessors else ""
