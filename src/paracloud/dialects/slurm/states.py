"""Slurm's job states and what they mean to the platform (man squeue and sacct, JOB STATE CODES, 20.11 to 25.05)."""

from paracloud.dialects.records import ENDED_PHASES, NativePhase

_PHASES = {
    "PENDING": NativePhase.QUEUED,
    "REQUEUE_FED": NativePhase.QUEUED,
    "REQUEUED": NativePhase.REQUEUED,
    "REQUEUE_HOLD": NativePhase.HELD,
    "RESV_DEL_HOLD": NativePhase.HELD,
    "SPECIAL_EXIT": NativePhase.HELD,
    "CONFIGURING": NativePhase.RUNNING,
    "RESIZING": NativePhase.RUNNING,
    "RUNNING": NativePhase.RUNNING,
    "SIGNALING": NativePhase.RUNNING,
    "STOPPED": NativePhase.RUNNING,
    "SUSPENDED": NativePhase.RUNNING,
    "COMPLETING": NativePhase.ENDING,
    "STAGE_OUT": NativePhase.ENDING,
    "COMPLETED": NativePhase.COMPLETED,
    "FAILED": NativePhase.FAILED,
    "OUT_OF_MEMORY": NativePhase.FAILED,
    "LAUNCH_FAILED": NativePhase.FAILED,
    "RECONFIG_FAIL": NativePhase.FAILED,
    "CANCELLED": NativePhase.CANCELLED,
    "REVOKED": NativePhase.CANCELLED,
    "TIMEOUT": NativePhase.TIMEOUT,
    "DEADLINE": NativePhase.TIMEOUT,
    # A preempted job may run again, like one whose node failed: the listing says whether it does.
    "BOOT_FAIL": NativePhase.NODE_FAILED,
    "NODE_FAIL": NativePhase.NODE_FAILED,
    "PREEMPTED": NativePhase.NODE_FAILED,
}
_COMPACT = {
    "BF": "BOOT_FAIL", "CA": "CANCELLED", "CD": "COMPLETED", "CF": "CONFIGURING", "CG": "COMPLETING", "DL": "DEADLINE",
    "F": "FAILED", "NF": "NODE_FAIL", "OOM": "OUT_OF_MEMORY", "PD": "PENDING", "PR": "PREEMPTED", "R": "RUNNING",
    "RD": "RESV_DEL_HOLD", "RF": "REQUEUE_FED", "RH": "REQUEUE_HOLD", "RQ": "REQUEUED", "RS": "RESIZING",
    "RV": "REVOKED", "S": "SUSPENDED", "SE": "SPECIAL_EXIT", "SI": "SIGNALING", "SO": "STAGE_OUT", "ST": "STOPPED",
    "TO": "TIMEOUT",
}  # fmt: skip
"""The short form of the same words."""
ENDED_STATES = frozenset(word for word, phase in _PHASES.items() if phase in ENDED_PHASES)
_HELD_REASONS = ("JobHeld", "JobHoldMaxRequeue", "launch failed requeued held", "launch_failed_requeued_held")


def accounted_phase(state: str) -> NativePhase:
    """The phase of an accounting record; the state may name who cancelled ("CANCELLED by 1002")."""
    word = state.partition(" ")[0].rstrip("+")
    return _PHASES.get(_COMPACT.get(word, word), NativePhase.UNKNOWN)


def listed_phase(state: str, reason: str) -> NativePhase:
    """The phase of a job in the queue listing, where a requeued job waits for its next run."""
    phase = accounted_phase(state)
    if phase is NativePhase.REQUEUED:
        phase = NativePhase.QUEUED
    if phase is NativePhase.QUEUED and reason.startswith(_HELD_REASONS):
        return NativePhase.HELD
    return phase
