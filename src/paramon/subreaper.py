"""Processes whose parent has ended become this process's children, so that they stay in sight (prctl(2))."""

from __future__ import annotations

import ctypes

PR_SET_CHILD_SUBREAPER = 36


def adopt_orphans() -> bool:
    """False where the system does not let us: then those are found by the mark in their environment."""
    try:
        return bool(ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0)
    except (OSError, AttributeError):
        return False
