"""What a process used, from its first row to its last."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from paramon.facts.sums import BLOCKED, GONE, RSS, STATE, SYSTEM, THREADS, USER
from paramon.sample.chunk import NOTHING
from paramon.sample.fields import AT

NAMES = ("read_calls", "write_calls", "read_chars", "write_chars", "read_bytes", "write_bytes", "minor_faults",
         "major_faults", "voluntary_switches", "forced_switches")  # fmt: skip
CHILD_USER, CHILD_SYSTEM = AT["child_user_ticks"], AT["child_system_ticks"]
PEAK, SWAP = AT["peak_rss_kib"], AT["swap_kib"]
PLACES = tuple(AT[name] for name in NAMES)


class Used(NamedTuple):
    """`peak_rss_kib`: added up, it is the sum of the peaks, which were at different moments. `blocked_ms`: to each
    look that found it in state D, from the one before; `block_wait_ms`: as the kernel counted it, where it does.
    `threads`, `swap_kib`: the most. `unseen_system_ms`: of what unseen children used, as much as the kernel's is of all
    that their parent was told of. `waits_known_ms`: of its CPU time, the part of which `run_wait_ms` and its switches
    tell."""

    user_ms: int = 0
    system_ms: int = 0
    unseen_children_ms: int = 0
    unseen_system_ms: int = 0
    peak_rss_kib: int = 0
    swap_kib: int = 0
    threads: int = 0
    run_wait_ms: int = 0
    blocked_ms: int = 0
    block_wait_ms: int = 0
    waits_known_ms: int = 0
    read_calls: int = 0
    write_calls: int = 0
    read_chars: int = 0
    write_chars: int = 0
    read_bytes: int = 0
    write_bytes: int = 0
    minor_faults: int = 0
    major_faults: int = 0
    voluntary_switches: int = 0
    forced_switches: int = 0

    @property
    def cpu_ms(self) -> int:
        """Of children that nobody saw, too: they were its to wait for."""
        return self.user_ms + self.system_ms + self.unseen_children_ms

    @property
    def kernel_part(self) -> float | None:
        """Of that; None where it is nothing."""
        return (self.system_ms + self.unseen_system_ms) / self.cpu_ms if self.cpu_ms else None

    @property
    def waits_known(self) -> float:
        """The part of its CPU time during which it is known how it waited for processors."""
        own_ms = self.user_ms + self.system_ms
        return min(self.waits_known_ms / own_ms, 1.0) if own_ms else 1.0

    def plus(self, other: Used) -> Used:
        return Used(*map(int.__add__, self, other))


class Usage:
    """Rows of one process, taken chunk by chunk."""

    __slots__ = (
        "_at_ms", "_base", "_before_ms", "_blocked_ms", "_swap", "_until_ms", "first_ms", "last_ms", "rss_kib",
        "threads", "values",
    )  # fmt: skip

    def __init__(self, base: Sequence[int] | None = None) -> None:
        """`base`: what it had used when the profile began, where that is not the job's."""
        self.values: Sequence[int] = ()
        self.first_ms = self.last_ms = self._at_ms = self._until_ms = self._before_ms = -1
        self.rss_kib = self.threads = self._swap = self._blocked_ms = 0
        self._base = base

    def take(self, rows: Sequence[tuple[int, tuple[int, ...]]], ticks: Sequence[int]) -> None:
        """`ticks`: milliseconds since the start of the profile."""
        for tick, values in rows:
            at = ticks[tick]
            before = (ticks[tick - 1] if tick else self._until_ms) if self.values else at
            self._was(before)
            self._at_ms, self._before_ms, self.values = at, before, values
            self.rss_kib = max(self.rss_kib, values[RSS], values[PEAK])
            self.threads = max(self.threads, values[THREADS])
            self._swap = max(self._swap, values[SWAP])
        if self.first_ms < 0:
            self.first_ms = ticks[rows[0][0]]
        self._was(ticks[-1])
        self._before_ms = self._until_ms = ticks[-1]
        self.last_ms = self._at_ms if self.is_gone else ticks[-1]

    def _was(self, until_ms: int) -> None:
        """As its last row says, from the look before that row to the one at `until_ms`."""
        if self.values and self.values[STATE] == BLOCKED:
            self._blocked_ms += until_ms - self._before_ms

    @property
    def is_gone(self) -> bool:
        return bool(self.values) and self.values[STATE] == GONE

    def told_ticks(self) -> int:
        """CPU time of ended children, as it was told of it."""
        return self._grown(CHILD_USER) + self._grown(CHILD_SYSTEM)

    def own_ticks(self) -> int:
        return self._grown(USER) + self._grown(SYSTEM)

    def passed_on_ticks(self, seen_ticks: int) -> int:
        """CPU time of which its parent is told when it waits for it: what it had used before the profile began, too.
        `seen_ticks`: of its children that were seen and have ended. It may have waited for them after the last look."""
        values, base = self.values, self._base or NOTHING
        known = base[CHILD_USER] + base[CHILD_SYSTEM]
        return values[USER] + values[SYSTEM] + known + max(self.told_ticks(), seen_ticks)

    def used(self, ticks_a_second: int, unseen_ticks: int = 0) -> Used:
        """`unseen_ticks`: of children that came and went between two looks."""

        def ms(ticks: int) -> int:
            return ticks * 1000 // ticks_a_second

        return Used(
            ms(self._grown(USER)),
            ms(self._grown(SYSTEM)),
            ms(unseen_ticks),
            ms(unseen_ticks * self._grown(CHILD_SYSTEM) // max(self.told_ticks(), 1)),
            self.rss_kib,
            self._swap,
            self.threads,
            self._grown(AT["run_wait_us"]) // 1000,
            self._blocked_ms,
            ms(self._grown(AT["block_wait_ticks"])),
            self._waits_known_ms(ms(self.own_ticks())),
            *map(self._grown, PLACES),
        )

    def _waits_known_ms(self, own_ms: int) -> int:
        """All of it where a profile has waits and does not say of how much they are, as the first ones."""
        has_waits = any(self.values[AT[name]] for name in ("run_wait_us", "voluntary_switches", "forced_switches"))
        is_told = self.values[AT["waits_known_us"]] or not has_waits
        return self._grown(AT["waits_known_us"]) // 1000 if is_told else own_ms

    def _grown(self, place: int) -> int:
        return max(self.values[place] - (self._base[place] if self._base else 0), 0)
