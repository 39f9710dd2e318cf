"""Whose turn it is to look at a profile: a centre that does not answer keeps looks at it waiting, and no others."""

from asyncio import Semaphore
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from paracloud.kit.identifiers import CentreName, UnixAccount

AT_ONCE, AT_A_CENTRE, OF_AN_ACCOUNT = 16, 4, 2
"""Looks of the whole server, until the answer: so many may hold bytes of profiles in memory. Who comes later waits.
Three centres that do not answer leave turns to others."""


class Looks:
    def __init__(self) -> None:
        self._all = Semaphore(AT_ONCE)
        self._some: WeakValueDictionary[tuple[CentreName, UnixAccount | None], Semaphore] = WeakValueDictionary()
        """As long as somebody has one, or waits."""

    @asynccontextmanager
    async def turn(self, centre: CentreName, account: UnixAccount) -> AsyncIterator[None]:
        """Who waits for its account or its centre keeps no turn from anybody else."""
        of_account = self._some.setdefault((centre, account), Semaphore(OF_AN_ACCOUNT))
        at_centre = self._some.setdefault((centre, None), Semaphore(AT_A_CENTRE))
        async with of_account, at_centre, self._all:
            yield
