"""The way to a database that is slow, lost before the act, and lost after it; and that is down for a while."""

import asyncio
from collections.abc import Callable
from contextvars import Context
from typing import Any, TypeVar

from tests.simulation.faults import Faults
from tests.simulation.virtual_loop import VirtualLoop

from paracloud.kit.errors import ParacloudError, Unreachable

T = TypeVar("T")
GIVES_UP_SECONDS = 30.0
"""As kit.database sets the server's statement_timeout."""


class BadLine:
    """One server for all processes. What is sent goes on without its sender, whether that one is frozen or dead."""

    def __init__(self, loop: VirtualLoop, faults: Faults) -> None:
        self._loop, self._faults = loop, faults
        self._world: Context = loop.world
        self.down_until = 0.0
        self.is_closed = False

    async def transact(self, act: Callable[[], T]) -> T:
        if self.is_closed:
            raise _lost()
        answer: asyncio.Future[T] = self._loop.create_future()
        is_slow = self._faults.strikes(self._faults.database_slow)
        delay = self._faults.seconds(1, GIVES_UP_SECONDS) if is_slow else self._faults.seconds(0.001, 0.01)
        self._later(delay, self._apply, act, answer)
        return await answer

    def _apply(self, act: Callable[[], Any], answer: "asyncio.Future[Any]") -> None:
        if self.is_closed or self._loop.time() < self.down_until or self._faults.strikes(self._faults.database_lost):
            _fail(answer, _lost())
            return
        try:
            result = act()
        except ParacloudError as error:
            _fail(answer, error)
            return
        if self._faults.strikes(self._faults.database_lost):
            self._later(self._faults.seconds(0.001, 1), _fail, answer, _lost())
        else:
            self._later(self._faults.seconds(0, 0.005), _give, answer, result)

    def _later(self, seconds: float, act: Callable[..., None], *arguments: object) -> None:
        self._loop.call_later(seconds, act, *arguments, context=self._world)


def _give(answer: "asyncio.Future[Any]", result: object) -> None:
    if not answer.done():
        answer.set_result(result)


def _fail(answer: "asyncio.Future[Any]", error: ParacloudError) -> None:
    if not answer.done():
        answer.set_exception(error)


def _lost() -> Unreachable:
    return Unreachable("The database is busy or does not answer; try again.", "数据库繁忙或没有响应，请稍后重试。")
