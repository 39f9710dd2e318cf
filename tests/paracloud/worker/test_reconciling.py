"""The loop that reconciles days goes on after trouble, and at once while there are more days."""

import asyncio
from dataclasses import dataclass, field
from datetime import timedelta
from types import SimpleNamespace

import pytest

from paracloud.kit.errors import Fenced, Unreachable
from paracloud.worker.tend import RECONCILE, TROUBLE, _reconciling


@dataclass
class Slept:
    """A clock that only notes for how long it was to sleep."""

    sleeps: list[timedelta] = field(default_factory=list)

    async def sleep(self, duration: timedelta) -> None:
        self.sleeps.append(duration)
        await asyncio.sleep(0)


async def test_one_day_after_the_other_until_none_is_left_and_trouble_waits() -> None:
    answers = iter([True, True, False, Unreachable("silent", "没有应答"), False, Fenced("lost", "失效")])

    async def reconcile(_outpost, _lease) -> bool:
        answer = next(answers)
        if isinstance(answer, Exception):
            raise answer
        return answer

    clock = Slept()
    with pytest.raises(Fenced):
        await _reconciling(SimpleNamespace(clock=clock, centre="east"), None, SimpleNamespace(reconcile=reconcile))
    assert clock.sleeps == [TROUBLE, TROUBLE, RECONCILE, RECONCILE, RECONCILE]
