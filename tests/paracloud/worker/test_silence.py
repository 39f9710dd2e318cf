"""As long as a centre's scheduler does not answer, nothing is intended for it."""

import asyncio
from contextlib import suppress
from datetime import timedelta
from types import SimpleNamespace

import pytest

from paracloud.kit.errors import Broken, Fenced, Unreachable
from paracloud.worker.hint import Hint
from paracloud.worker.tend import TROUBLE, Silence, _dispatching, _listing


class Book:
    """Of a centre with one account, of which the worker wants jobs to submit."""

    async def accounts(self, _lease):
        return ["east0"]

    async def remains(self, _lease):
        return []

    async def observed(self, _lease, _moves):
        return None

    async def intend(self, _lease, *, limit):
        raise Fenced("intended", "已提交意图")


def outpost(answer, sleeps: list[timedelta] | None = None):
    async def ask(*_arguments, **_purpose):
        if isinstance(answer, Exception):
            raise answer
        return answer

    async def sleep(duration: timedelta) -> None:
        if sleeps is not None:
            sleeps.append(duration)
        await asyncio.sleep(0)

    clock = SimpleNamespace(now=lambda: None, monotonic=lambda: 0.0, sleep=sleep)
    dialect = SimpleNamespace(observe=lambda accounts: accounts)
    return SimpleNamespace(centre="east", service_account="watcher", ask=ask, clock=clock, dialect=dialect)


async def test_a_scheduler_that_does_not_answer_is_silent_until_it_does_and_one_that_talks_nonsense_is_not() -> None:
    silence = Silence()
    for answer, is_silent in ((Broken("?", "？"), False), (Unreachable("x", "无"), True), ((), False)):
        with suppress(Broken, Unreachable):
            await _listing(Book(), outpost(answer), lambda: None, [], silence)
        assert silence.is_so == is_silent


async def test_nothing_is_intended_in_the_silence_and_at_once_after_it() -> None:
    sleeps: list[timedelta] = []
    silence, arguments = (
        Silence(is_so=True),
        (Book(), outpost((), sleeps), lambda: None, SimpleNamespace(stage=None, equip=None)),
    )
    dispatching = asyncio.create_task(_dispatching(*arguments, Hint(), Hint(), silence))
    for _ in range(20):
        await asyncio.sleep(0)
    assert not dispatching.done()
    assert set(sleeps) == {TROUBLE}
    silence.is_so = False
    with pytest.raises(Fenced, match="intended"):
        await dispatching
