"""A tree of processes, a table that looks at it, and what the kernel tells of ends."""

import shutil

import pytest
from tests.paramon.sensors import trees

from paramon.sample.chunk import ChunkWriter, read_chunk
from paramon.sensors.taskstats import Exit
from paramon.table import Belongs, Table

OWN, JOB = 2, 10
TICK_US = 10_000


class Told:
    """What the kernel is to tell of ends."""

    def __init__(self):
        self.exits, self.lost, self.is_closed = [], 0, False

    def ends(self, pid, parent, ticks, *, thread=None, name="short", system=0, peak=0, read=0, nearest=0):
        least = (ticks - system) * TICK_US, system * TICK_US
        self.exits.append(Exit(thread or pid, pid, parent, name, *least, peak, read, 0, nearest or sum(least)))

    def drain(self):
        found, self.exits = self.exits, []
        return found

    def close(self):
        self.is_closed = True


class World:
    """A tree of processes and the table that looks at it."""

    def __init__(self, root, told):
        self.root, self.told, self.chunk = root, told, ChunkWriter()
        self.came = []
        self.table = Table(Belongs(frozenset(), frozenset({OWN}), (b"MARK", b"here")), str(root), own=OWN, ends=told)

    def is_there(self, pid, parent, ticks=0, child_ticks=0, state="S", **more):
        trees.process(self.root, pid, parent, ticks=ticks, child_ticks=child_ticks, state=state, **more)

    def goes(self, pid):
        shutil.rmtree(self.root / str(pid))

    def look(self):
        self.chunk.tick(self.chunk.ticks)
        self.table.look(self.chunk, self.came.extend, is_first=self.chunk.ticks == 1)
        self.chunk.end_tick()

    def known(self):
        self.table.close()
        return self.table.spent.ticks

    def last_row(self, pid):
        (number,) = [one.number for one in self.came if one.pid == pid]
        return read_chunk(self.chunk.finish()).rows[number][-1][1]

    def series(self):
        return {series: points[-1][1] for series, points in read_chunk(self.chunk.finish()).points.items()}


@pytest.fixture
def told():
    return Told()


@pytest.fixture
def world(tmp_path, told):
    made = World(tmp_path, told)
    made.is_there(1, 0, ticks=5000)
    made.is_there(JOB, OWN, ticks=1)
    yield made
    made.table.close()


@pytest.fixture
def silent(tmp_path):
    """No ends are told."""
    made = World(tmp_path, None)
    made.is_there(JOB, OWN, ticks=1)
    yield made
    made.table.close()
