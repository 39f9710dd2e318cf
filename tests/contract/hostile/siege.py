"""A project of ours besieged by a centre that only attacks, and what such a centre plays."""

import asyncio
import gc
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta

import psutil
import pytest
from sqlalchemy import text
from tests.contract.hostile.attacker import Attacker
from tests.paracloud.jobs.world import EAST, StillClock, World

from paracloud.api import shown
from paracloud.centres import registry
from paracloud.identity.caller import Caller
from paracloud.jobs.dispatch import dispatch
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.settle import Settlement
from paracloud.jobs.show import show
from paracloud.jobs.watch import watch
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import JobId, UnixAccount
from paracloud.kit.lease import Lease

TENANT, SERVICE = UnixAccount("pc01"), UnixAccount("pc02")

MEMORY_MOST_MIB = 512
"""What one answer may cost for a moment: its 32 MiB some times over, as bytes, as text and in pieces."""


class NoBudget:
    most_at_once = 1000

    async def take(self, cost: int) -> None:
        return


class RealPauses(StillClock):
    """Wall time stands still; waiting is real and short."""

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, duration: timedelta) -> None:
        await asyncio.sleep(min(duration.total_seconds(), 0.02))


@dataclass
class Siege:
    """One project of ours with an account at the hostile centre, and a job that the centre took."""

    world: World
    outpost: Outpost
    lease: Lease
    tenant: Attacker
    service: Attacker

    def tenure(self) -> Lease:
        return self.lease

    async def dispatch(self) -> int:
        return await dispatch(self.world.book, self.outpost, self.tenure, stage=None)

    async def round(self) -> object:
        """As the worker's: look, then settle."""
        book = self.world.book
        live = await book.live(self.lease)
        seen = await watch(book, self.outpost, self.tenure, live)
        return await Settlement(book, self.outpost, self.tenure).settle(live, seen)

    async def queued(self, native_id: str = "41") -> JobId:
        job = (await self.world.submit()).job
        self.tenant.plays(sbatch=f"say('{native_id}\\n')")
        await self.dispatch()
        assert await self.world.state(job) == "queued"
        return job

    async def money(self) -> dict[str, int]:
        async with self.world.database.begin() as session:
            found = await session.execute(text("SELECT code, balance_micro FROM ledger_accounts"))
            return {code: balance for code, balance in found.all() if balance}

    async def charges(self) -> int:
        return await self.world.one("SELECT count(*) FROM ledger_entries WHERE key LIKE 'charge:%'")

    async def texts(self, job: JobId, caller: Caller | None = None) -> list[str]:
        """All that the API says of it and of the centre."""
        async with self.world.database.begin() as session:
            detail = shown.detail(await show(session, caller or self.world.caller, job))
            health = (await registry.healths(session)).get(EAST)
        return [*_texts(detail.model_dump()), *_texts([health.error_en, health.error_zh] if health else [])]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)


class Peak:
    """How far this process's memory grew, looked at all the while."""

    async def __aenter__(self) -> "Peak":
        gc.collect()
        self._process = psutil.Process()
        self._before = self.highest = self._process.memory_info().rss
        self._task = asyncio.create_task(self._watch())
        return self

    async def __aexit__(self, *_: object) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def _watch(self) -> None:
        while True:
            await asyncio.sleep(0.02)
            self.highest = max(self.highest, self._process.memory_info().rss)

    @property
    def grown_mib(self) -> float:
        return (self.highest - self._before) / (1 << 20)


@contextmanager
def raises_broken(kind: str) -> Iterator[None]:
    """With words that can be shown."""
    with pytest.raises(Broken) as raised:
        yield
    assert raised.value.en.isprintable(), kind
    assert raised.value.zh.isprintable(), kind
