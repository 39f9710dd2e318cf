"""The published number of commands that a centre sees in a minute, kept by a token bucket on the monotonic clock."""

import asyncio
from datetime import timedelta

from paracloud.kit.clock import Clock

BURST_SECONDS = 20.0
"""At most the commands of so many seconds may come at once."""


class CommandBudget:
    """One for each centre and lease holder. `take` waits until the centre may see `cost` more commands, and whoever
    asked first gets them first: rounds that need few would starve a batch that needs many."""

    def __init__(self, commands_per_minute: int, clock: Clock) -> None:
        if commands_per_minute < 1:
            raise ValueError("a budget allows at least one command a minute")
        self._rate = commands_per_minute / 60.0
        self._most = max(1.0, self._rate * BURST_SECONDS)
        self._clock = clock
        self._tokens, self._at = self._most, clock.monotonic()
        self._turn = asyncio.Lock()
        self.taken = 0

    async def take(self, cost: int) -> None:
        """A cost above the bucket's size is let through when the bucket is full, and paid off afterwards."""
        async with self._turn:
            self._fill()
            while self._tokens < min(float(cost), self._most):
                missing = min(float(cost), self._most) - self._tokens
                await self._clock.sleep(timedelta(seconds=missing / self._rate))
                self._fill()
            self._tokens -= cost
            self.taken += cost

    def _fill(self) -> None:
        now = self._clock.monotonic()
        self._tokens = min(self._most, self._tokens + (now - self._at) * self._rate)
        self._at = now
