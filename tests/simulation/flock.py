"""A lock file as flock(1) has it: held until the last process that inherited it has ended."""

import asyncio


class Flock:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._holders = 0
        self._waiting: list[asyncio.Future[None]] = []

    async def take(self, seconds: float) -> bool:
        """False: somebody else held it for all of these seconds."""
        until = self._loop.time() + seconds
        while self._holders:
            if self._loop.time() >= until:
                return False
            free = self._loop.create_future()
            self._waiting.append(free)
            await asyncio.wait([free], timeout=until - self._loop.time())
        self._holders = 1
        return True

    def inherit(self) -> None:
        self._holders += 1

    def drop(self) -> None:
        self._holders -= 1
        if not self._holders:
            for one in self._waiting:
                if not one.done():
                    one.set_result(None)
            self._waiting.clear()
