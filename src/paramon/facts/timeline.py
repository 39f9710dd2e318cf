"""How much was used when, second by second: of a node, and then of all of them together."""

from __future__ import annotations

from array import array

MOST_SECONDS = 90 * 86400
MOST = 1 << 50
"""Of a second and a node: what a profile says beyond that was made up."""

BACK_SECONDS = 300
"""Several looks, which may be a minute apart."""


class Timeline:
    """From second 0, the start of the profile. Of a second 24 bytes, however many processes there are. `common_kib`: of
    the memory, what processes share."""

    def __init__(self) -> None:
        self.cpu_ms, self.memory_kib, self.common_kib = array("q"), array("q"), array("q")
        self._memory_now = self._common_now = self._told_ms = 0

    def cpu(self, from_ms: int, until_ms: int, used_ms: float) -> None:
        """So much CPU time between two moments: spread evenly over the seconds. Not over those that were told of
        before: a profile that was made up may go to and fro."""
        passed, at = until_ms - from_ms, max(from_ms, self._told_ms)
        self._told_ms = end_ms = min(max(until_ms, self._told_ms), MOST_SECONDS * 1000)
        while at < end_ms:
            second = at // 1000
            end = min((second + 1) * 1000, end_ms)
            _reach(self.cpu_ms, second, 0)
            self.cpu_ms[second] = min(self.cpu_ms[second] + round(used_ms * (end - at) / passed), MOST)
            at = end

    def take_back(self, cpu_ms: int) -> None:
        """So much of the last seconds was counted too early, and will be told of otherwise."""
        for second in range(len(self.cpu_ms) - 1, max(len(self.cpu_ms) - BACK_SECONDS, 0) - 1, -1):
            back = min(self.cpu_ms[second], cpu_ms)
            self.cpu_ms[second] -= back
            cpu_ms -= back

    def memory(self, at_ms: int, kib: int, common_kib: int = 0) -> None:
        """So much from that moment on, until the next. Of a second with several looks, the most."""
        second, known = at_ms // 1000, len(self.memory_kib)
        kib, common_kib = (max(min(one, MOST), -MOST) for one in (kib, common_kib))
        _reach(self.memory_kib, second, self._memory_now)
        _reach(self.common_kib, second, self._common_now)
        if second < len(self.memory_kib) and (second >= known or kib > self.memory_kib[second]):
            self.memory_kib[second], self.common_kib[second] = kib, common_kib
        self._memory_now, self._common_now = kib, common_kib

    def join(self, other: Timeline, later_s: int) -> None:
        """`later_s`: seconds from our start to the other's."""
        for ours, theirs in ((self.cpu_ms, other.cpu_ms), (self.memory_kib, other.memory_kib)):
            _reach(ours, later_s + len(theirs) - 1, 0)
            for second, value in enumerate(theirs, later_s):
                if second < len(ours):
                    ours[second] = min(ours[second] + value, MOST)

    def beside(self, other: Timeline, later_s: int) -> None:
        """As `join`, of the same node: what is shared there counts once."""
        self.join(other, later_s)
        _reach(self.common_kib, len(self.memory_kib) - 1, 0)
        for second, theirs in enumerate(other.common_kib, later_s):
            if second < len(self.common_kib):
                ours = self.common_kib[second]
                self.memory_kib[second] -= min(ours, theirs)
                self.common_kib[second] = max(ours, theirs)

    def peak_memory(self) -> tuple[int, int]:
        """KiB, and the second at which it was first so much."""
        most = max(self.memory_kib, default=0)
        return most, self.memory_kib.index(most) if most else 0


def _reach(column: array[int], second: int, value: int) -> None:
    """Not beyond what a profile can be: a clock may have been set."""
    if len(column) <= second < MOST_SECONDS:
        column.extend([value] * (second + 1 - len(column)))
