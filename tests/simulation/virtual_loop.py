"""An event loop whose time is virtual and whose order of ready steps is drawn from a seed.

Nothing waits: when no step is ready, time jumps to the next timer. Every step belongs to a process (or to the world),
so a process can be frozen and killed between any two of its steps, as by SIGSTOP and SIGKILL.
"""

import asyncio
import heapq
from collections.abc import Callable, Coroutine
from contextvars import Context, ContextVar, copy_context
from random import Random
from typing import Any

STEPS_MOST = 1_000_000
"""A history that needs more goes round in circles."""


class Process:
    """`pending` are steps that became ready while it was frozen; those of a dead one are never run."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.is_frozen = False
        self.is_dead = False
        self.pending: list[asyncio.Handle] = []


PROCESS: ContextVar[Process | None] = ContextVar("PROCESS", default=None)


class _Task(asyncio.Task[Any]):
    """Hashed by its number: asyncio keeps tasks in sets, and walks them in the order of their hashes."""

    def __init__(self, coroutine: Coroutine[Any, Any, Any], number: int, **options: Any) -> None:
        self.number = number
        super().__init__(coroutine, **options)

    def __hash__(self) -> int:
        return self.number

    def __eq__(self, other: object) -> bool:
        return self is other


class Stuck(Exception):
    """Nothing can ever happen again, or it goes on for ever."""


class VirtualLoop(asyncio.BaseEventLoop):
    """Relies on three names of BaseEventLoop in Python 3.11: `_ready`, `_run_once`, `_write_to_self`."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random.random
        self._seconds = 0.0
        self._ready: list[asyncio.Handle] = []
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._numbers = 0
        self.steps = 0
        self.world = copy_context()
        self.set_task_factory(self._make_task)
        self.set_exception_handler(lambda _loop, _context: None)  # answers that nobody waits for any more

    def time(self) -> float:
        return self._seconds

    def call_later(  # type: ignore[override]  # typeshed ties the arguments to the callback
        self, delay: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        return self.call_at(self._seconds + delay, callback, *args, context=context)

    def call_at(  # type: ignore[override]  # as above
        self, when: float, callback: Callable[..., object], *args: Any, context: Context | None = None
    ) -> asyncio.TimerHandle:
        """Timers of one moment come in the order in which they were set; which is run first, the seed says."""
        timer = asyncio.TimerHandle(when, callback, args, self, context)
        self._numbers += 1
        heapq.heappush(self._timers, (when, self._numbers, timer))
        return timer

    def spawn(self, coroutine: Coroutine[Any, Any, Any], process: Process | None = None) -> "asyncio.Task[Any]":
        """A task of this process, or of the world, whoever asks for it."""
        context = self.world.copy()
        context.run(PROCESS.set, process)
        return self.create_task(coroutine, context=context)

    def thaw(self, process: Process) -> None:
        process.is_frozen = False
        self._ready.extend(process.pending)
        process.pending.clear()

    def _make_task(
        self,
        _loop: asyncio.AbstractEventLoop,
        coroutine: Any,
        context: Context | None = None,
    ) -> "asyncio.Task[Any]":
        self._numbers += 1
        return _Task(coroutine, self._numbers, loop=self, context=context)

    def _run_once(self) -> None:
        ready, timers = self._ready, self._timers
        if not ready:
            while timers and timers[0][2].cancelled():
                heapq.heappop(timers)
            if not timers:
                raise Stuck("nothing is left to happen")
            self._seconds = max(self._seconds, timers[0][0])
        while timers and timers[0][0] <= self._seconds:
            timer = heapq.heappop(timers)[2]
            if not timer.cancelled():
                ready.append(timer)
        if ready:
            chosen = int(self._random() * len(ready))
            ready[chosen], ready[-1] = ready[-1], ready[chosen]
            self._step(ready.pop())

    def _step(self, handle: asyncio.Handle) -> None:
        if handle.cancelled():
            return
        process = handle._context.get(PROCESS)  # type: ignore[attr-defined]  # where asyncio keeps it
        if process is not None and (process.is_frozen or process.is_dead):
            process.pending.append(handle)
            return
        self.steps += 1
        if self.steps > STEPS_MOST:
            raise Stuck(f"more than {STEPS_MOST} steps")
        handle._run()

    def _process_events(self, event_list: Any) -> None:
        """There are none: no socket, no pipe."""

    def _write_to_self(self) -> None:
        """Nobody waits in a selector."""
