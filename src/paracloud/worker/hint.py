"""What wakes a loop before its time."""

import asyncio
from datetime import timedelta

from paracloud.jobs.outpost import Outpost


class Hint:
    """Wakes whoever waits; a hint that comes before the wait is not lost, unless it is forgotten on purpose."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def give(self) -> None:
        self._event.set()

    def forget(self) -> None:
        """Before looking: what was hinted at until now will be seen."""
        self._event.clear()

    async def wait(self, outpost: Outpost, most: timedelta) -> None:
        waiting = asyncio.ensure_future(self._event.wait())
        sleeping = asyncio.ensure_future(outpost.clock.sleep(most))
        try:
            await asyncio.wait([waiting, sleeping], return_when=asyncio.FIRST_COMPLETED)
        finally:
            waiting.cancel()
            sleeping.cancel()
            self._event.clear()
