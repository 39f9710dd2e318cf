"""A profile as its collector writes it at a centre, and who reads it there."""

from pathlib import Path

import pytest
from tests.paramon.made import begun

from paracloud.jobs.profile import News, read_profile
from paracloud.transports.local import LocalTransport
from paramon.sample.fields import COUNT
from paramon.sample.profile import Process
from paramon.spool import Spool


def as_it_is(news: News) -> News:
    return news


class Read(LocalTransport):
    """Counts the bytes that it gave."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.given = 0
        self.paths: list[str] = []

    async def read(self, path, *, start=0, limit_bytes):
        self.paths.append(path)
        found = await super().read(path, start=start, limit_bytes=limit_bytes)
        self.given += len(found)
        return found


@pytest.fixture
def spool(tmp_path):
    one = begun(tmp_path / "profile", "n1-1", {"node": "n1"})
    one.processes([Process(1, 77, 5, 1, "a.out", "./a.out", 0)])
    return one


def ticks(spool: Spool, numbers) -> None:
    for number in numbers:
        spool.chunk.tick(number * 1000)
        spool.chunk.row(1, (number // 2 + 1,) * COUNT)
        spool.chunk.point("cpu.user_ticks", number)
        spool.end_tick()


class Follower:
    def __init__(self, home: Path) -> None:
        self.transport, self.cursor = Read(home), ""

    async def look(self):
        news = await read_profile(self.transport, "profile", self.cursor, as_it_is)
        self.cursor = news.cursor
        return news.nodes

    async def paths_of_a_look(self) -> list[str]:
        self.transport.paths.clear()
        await self.look()
        return self.transport.paths

    async def seconds(self) -> list[int]:
        return [at // 1000 for node in await self.look() for minute in node.minutes for at in minute.at_ms]


def node(tmp_path: Path, number: int) -> Spool:
    one = begun(tmp_path / "profile", f"node{number:04}-1795754938031-7528", {"node": str(number)})
    ticks(one, range(3))
    return one
