"""What a process read and wrote by itself: /proc/PID/io has that of its children, too, once it has waited for them.

Of a child that was seen, that is taken off what its parent grows by in the first looks after. Of one that nobody saw it
stays its parent's, as its CPU time does. (A parent that lets the kernel take its children away is told of none of it:
then what it does itself in these looks is not seen.)
"""

from __future__ import annotations

from collections.abc import Sequence

LOOKS = 2
"""Of the parent, from the child's end on: it may have been looked at just before."""


class Reaped:
    """Values in the order of /proc/PID/io. `others`: how much of them is its children's, as far as is known."""

    __slots__ = ("_left", "_looks", "others")

    def __init__(self) -> None:
        self.others = [0] * 6
        self._left = [0] * 6
        self._looks = 0

    def child_ended(self, values: Sequence[int]) -> None:
        """`values`: what it and its own children came to."""
        self._left = [old + new for old, new in zip(self._left, values)]
        self._looks = LOOKS

    def all_of(self, own: Sequence[int]) -> list[int]:
        """What its parent is told of when it waits for it."""
        return [sum(parts) for parts in zip(own, self.others, self._left)]

    def own(self, before: Sequence[int], now: Sequence[int]) -> list[int]:
        """Its own part of what is there `now`. `before`: that part at the look before."""
        if self._looks:
            grown = (new - others - old for old, new, others in zip(before, now, self.others))
            taken = [max(min(one, left), 0) for one, left in zip(grown, self._left)]
            self.others = [old + new for old, new in zip(self.others, taken)]
            self._left = [left - one for left, one in zip(self._left, taken)]
        return [value - others for value, others in zip(now, self.others)]

    def looked(self) -> None:
        """After a look, whether anything was new or not."""
        if self._looks:
            self._looks -= 1
            if not self._looks:
                self._left = [0] * 6
