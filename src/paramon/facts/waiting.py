"""How long a process waits for processors now, and of how much that is known: it is read now and then only."""

from __future__ import annotations

from typing import NamedTuple

from paramon.facts.sums import SYSTEM, USER
from paramon.facts.window import Window
from paramon.sample.fields import AT

OVER_MS = 9_900
"""As often as that it is read of most."""
WAIT, KNOWN = AT["run_wait_us"], AT["waits_known_us"]
WAITS = (WAIT, AT["voluntary_switches"], AT["forced_switches"])


class Waiting(NamedTuple):
    """`share`: seconds a second without a CPU though it could have run, at the least. `waits_known`: the part of its
    CPU time, of the same seconds, of which that is known."""

    share: float
    waits_known: float


def waiting(window: Window, number: int, tick: int, ticks_a_second: int) -> Waiting:
    """Of the last ten seconds or, where that is longer, since the look before it was read last."""
    read = window.grew_at(number, KNOWN, tick) or 0
    since = max(min(window.tick_before(tick, OVER_MS), read - 1), window.first_tick(number))
    now, then, passed_ms = window.process(number, tick), window.process(number, since), window.passed_ms(since, tick)
    if now is None or then is None or passed_ms <= 0:
        return Waiting(0.0, 0.0)
    share = max(now[WAIT] - then[WAIT], 0) / 1000 / passed_ms
    if not now[KNOWN] and any(now[at] for at in WAITS):
        return Waiting(share, 1.0)  # a profile that does not say of how much, as the first ones
    known_us, tick_us = max(now[KNOWN] - then[KNOWN], 0), 1e6 / ticks_a_second
    spent_us = max(now[USER] + now[SYSTEM] - then[USER] - then[SYSTEM], 0) * tick_us
    unknown_us = max(spent_us - known_us - tick_us, 0.0)  # clocks tick at other moments
    more = max(known_us / (spent_us + tick_us), 1.0)  # of the time before, too
    return Waiting(share / more, 1 - unknown_us / spent_us if unknown_us else 1.0)
