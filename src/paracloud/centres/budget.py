"""The published number of commands that a centre sees in a minute, kept by a token bucket on the monotonic clock."""

import asyncio
from datetime import timedelta

from paracloud.kit.clock import Clock

BURST_PART = 6
"""At most so many parts of a minute's commands may come at once. The bucket is filled by what is left of the minute, so
that a full bucket and the minute after it are no more than was published."""
BURST_LEAST = 2.0


class CommandBudget:
    """One for each centre and lease holder, and empty at first: whoever held the lease before may just have used all
    that was left. `take` waits until the centre may see `cost` more commands, and whoever asked first gets them first:
    rounds that need few would starve a batch that needs many. `largest`: no step costs more than this and than
    `most_at_once`; no more than a whole minute's commands."""

    def __init__(self, commands_per_minute: int, clock: Clock, largest: int = 0) -> None:
        if commands_per_minute < 1:
            raise ValueError("a budget allows at least one command a minute")
        self._most = min(max(BURST_LEAST, commands_per_minute // BURST_PART), float(commands_per_minute))
        # One or two a minute are all burst: the bucket fills all the same, and more slowly than it could.
        self._rate = max(commands_per_minute - self._most, 0.5) / 60.0
        self._clock = clock
        # A large step of the holder before may still have to be paid off.
        self._tokens, self._at = min(0.0, self._most - largest), clock.monotonic()
        self._turn = asyncio.Lock()
        self.taken = 0

    @property
    def most_at_once(self) -> int:
        """What asks for no more than this never breaks the budget."""
        return int(self._most)

    async def take(self, cost: int) -> None:
        """A cost above `most_at_once` waits for a full bucket, then for what it is above, and is paid off afterwards:
        so neither the minute before it nor the one after has more than was published."""
        above = max(0.0, cost - self._most)
        async with self._turn:
            self._fill()
            while self._tokens < min(float(cost), self._most):
                missing = min(float(cost), self._most) - self._tokens
                await self._clock.sleep(timedelta(seconds=missing / self._rate))
                self._fill()
            if above:
                await self._clock.sleep(timedelta(seconds=above / self._rate))
                self._fill()
            self._tokens -= cost
            self.taken += cost

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
