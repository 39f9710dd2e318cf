"""PBS's job states and what they mean to the platform (OpenPBS qstat(1B), `job_state`; Torque qstat(1B))."""

from paracloud.dialects.pbs.history import phase_of, status_of
from paracloud.dialects.records import NativePhase

_PHASES = {
    "Q": NativePhase.QUEUED,
    "T": NativePhase.QUEUED,
    "W": NativePhase.QUEUED,
    "H": NativePhase.HELD,
    "B": NativePhase.RUNNING,
    "R": NativePhase.RUNNING,
    "S": NativePhase.RUNNING,
    "U": NativePhase.RUNNING,
    "E": NativePhase.ENDING,
}
ENDED = frozenset("FCX")
"""Finished, Torque's complete, an array's task that has ended. M, moved to another server, stays unknown."""


def listed_phase(state: str, exit_status: str = "", hold_types: str = "") -> NativePhase:
    """`exit_status` is empty where none is told: then an ended job is on its way to its record. A job that the system
    alone holds (`s`) waits for its dependency, and starts without anybody's release: it is queued."""
    if state == "H" and hold_types == "s":
        return NativePhase.QUEUED
    if state not in ENDED:
        return _PHASES.get(state, NativePhase.UNKNOWN)
    return phase_of(status_of(exit_status)) if exit_status else NativePhase.ENDING
