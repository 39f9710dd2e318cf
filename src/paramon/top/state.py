"""What the one who looks wants to see, and how keys change it."""

from __future__ import annotations

from typing import NamedTuple

SORTS = {"c": "cpu", "m": "memory", "i": "io", "w": "wait", "r": "rank"}
SPEEDS = (0.25, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0, 60.0)
STEPS = {"left": -1, "right": 1, "[": -60, "]": 60, "{": -600, "}": 600}
"""Seconds, at least one look."""


class State(NamedTuple):
    """`moment_ms`: None for the newest there is. `first_row`: of the table."""

    moment_ms: int | None = None
    is_playing: bool = False
    speed: float = 1.0
    sort: str = "rank"
    is_tree: bool = False
    first_row: int = 0
    has_help: bool = False
    is_leaving: bool = False


class Extent(NamedTuple):
    """What there is to look at: moments, and rows of the table that fit."""

    start_ms: int
    end_ms: int
    rows: int


def pressed(state: State, key: str, extent: Extent) -> State:
    """An unknown key changes nothing."""
    if key in ("q", "Q"):
        return state._replace(is_leaving=True)
    if key in SORTS:
        return state._replace(sort=SORTS[key], first_row=0)
    if key == "t":
        return state._replace(is_tree=not state.is_tree, first_row=0)
    if key in ("h", "?"):
        return state._replace(has_help=not state.has_help)
    if key in ("up", "down", "pageup", "pagedown"):
        step = {"up": -1, "down": 1, "pageup": -extent.rows, "pagedown": extent.rows}[key]
        return state._replace(first_row=max(state.first_row + step, 0))
    return _moved(state, key, extent)


def played(state: State, passed_ms: float, extent: Extent) -> State:
    """So much time later."""
    if not state.is_playing or state.moment_ms is None:
        return state
    return _to(state, state.moment_ms + round(passed_ms * state.speed), extent)


def sought(moment_ms: int, extent: Extent) -> State:
    return _to(State(), moment_ms, extent)._replace(moment_ms=max(min(moment_ms, extent.end_ms), extent.start_ms))


def _moved(state: State, key: str, extent: Extent) -> State:
    now = extent.end_ms if state.moment_ms is None else state.moment_ms
    if key == " ":
        return state._replace(moment_ms=now, is_playing=state.moment_ms is not None and not state.is_playing)
    if key in ("+", "-"):
        at = SPEEDS.index(state.speed) + (1 if key == "+" else -1)
        return state._replace(speed=SPEEDS[max(0, min(at, len(SPEEDS) - 1))])
    if key in STEPS:
        return _to(state._replace(is_playing=False), now + STEPS[key] * 1000, extent)
    if len(key) == 1 and key in "0123456789":
        return _to(state, extent.start_ms + (extent.end_ms - extent.start_ms) * int(key) // 10, extent)
    ends = {"g": extent.start_ms, "home": extent.start_ms, "G": extent.end_ms, "end": extent.end_ms}
    return _to(state, ends[key], extent) if key in ends else state


def _to(state: State, moment_ms: int, extent: Extent) -> State:
    """At the end it is the newest again."""
    if moment_ms >= extent.end_ms:
        return state._replace(moment_ms=None, is_playing=False)
    return state._replace(moment_ms=max(moment_ms, extent.start_ms))
