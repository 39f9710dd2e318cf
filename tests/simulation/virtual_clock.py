"""The clocks of simulated machines: all run at the same rate, none shows the same time."""

import asyncio
from datetime import UTC, datetime, timedelta

START = datetime(2026, 6, 1, 8, tzinfo=UTC)


class VirtualClock:
    """`ahead` is by how much its wall time is wrong, `monotonic_from` where its monotonic time began."""

    def __init__(self, loop: asyncio.AbstractEventLoop, *, ahead: timedelta, monotonic_from: float) -> None:
        self._loop, self._from, self._monotonic_from = loop, START + ahead, monotonic_from

    def now(self) -> datetime:
        return self._from + timedelta(seconds=self._loop.time())

    def monotonic(self) -> float:
        return self._monotonic_from + self._loop.time()

    async def sleep(self, duration: timedelta) -> None:
        # Where time passes only in sleeps, one that takes none could be repeated for ever.
        await asyncio.sleep(max(duration.total_seconds(), 1e-6))
