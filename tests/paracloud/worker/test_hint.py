"""Hints wake the dispatch of a centre: none is lost, and none that was seen wakes it again."""

import asyncio
from datetime import timedelta
from types import SimpleNamespace

from paracloud.kit.clock import SystemClock
from paracloud.worker.hint import Hint

LONG = timedelta(seconds=60)
SHORT = timedelta(milliseconds=20)


async def returns_at_once(hint: Hint) -> bool:
    outpost = SimpleNamespace(clock=SystemClock())
    waiting = asyncio.ensure_future(hint.wait(outpost, LONG))  # type: ignore[arg-type]  # only its clock is read
    done, _ = await asyncio.wait([waiting], timeout=SHORT.total_seconds())
    waiting.cancel()
    return bool(done)


async def test_a_hint_that_comes_before_the_wait_is_not_lost() -> None:
    hint = Hint()
    hint.give()
    assert await returns_at_once(hint)


async def test_a_hint_that_was_forgotten_before_looking_does_not_wake_again() -> None:
    hint = Hint()
    hint.give()
    hint.forget()
    assert not await returns_at_once(hint)


async def test_a_hint_after_looking_began_wakes_the_next_wait() -> None:
    hint = Hint()
    hint.forget()
    hint.give()
    assert await returns_at_once(hint)
