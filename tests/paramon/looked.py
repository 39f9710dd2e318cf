"""A table that looks at real processes, and processes to be looked at."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from paramon.sample.chunk import ChunkWriter, read_chunk
from paramon.table import Belongs, Table
from paramon.there import pids

ECHO = "import os\nwhile os.read(0, 1): os.write(1, b'x')"
ROOT = Path(__file__).parents[2]


class Watch:
    """A table of this process's children, and all that it says."""

    def __init__(self, root: str = "/proc", own: int | None = None, mark: bytes = b"") -> None:
        parents = frozenset() if mark else frozenset({os.getpid() if own is None else own})
        others = frozenset(pids(root)) if root == "/proc" else frozenset()
        self.table = Table(Belongs(frozenset(), parents, (b"MARK", mark), others), root, own=own)
        self.told = []

    def look(self, *, is_first: bool = False):
        """The rows of it, by pid."""
        chunk = ChunkWriter()
        chunk.tick(0)
        self.table.look(chunk, self.told.extend, is_first=is_first)
        pid_of = {one.number: one.pid for one in self.told}
        return {pid_of[number]: rows[0][1] for number, rows in read_chunk(chunk.finish()).rows.items()}

    def seen_asleep(self, pid: int) -> None:
        """Until it has been looked at twice without anything new."""
        quiet = 0
        while quiet < 2:
            quiet = 0 if pid in self.look() else quiet + 1


@pytest.fixture
def watch():
    one = Watch()
    yield one
    one.table.close()


@pytest.fixture
def echo():
    with subprocess.Popen([sys.executable, "-c", ECHO], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        answer(process)
        yield process
        process.stdin.close()


def answer(process) -> None:
    """And its call to write has ended: the kernel counts it no earlier."""
    before = calls_to_write(process)
    process.stdin.write(b"?")
    process.stdin.flush()
    assert process.stdout.read(1) == b"x"
    while calls_to_write(process) == before:
        pass


def calls_to_write(process) -> int:
    lines = Path(f"/proc/{process.pid}/io").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("syscw:"))


def copied(root: Path, pid: int, echo) -> Path:
    folder = root / str(pid)
    folder.mkdir()
    for name in ("stat", "status", "schedstat", "io", "cmdline", "environ"):
        shutil.copyfile(f"/proc/{echo.pid}/{name}", folder / name)
    return folder


def started(*argv, **known):
    return subprocess.Popen([*argv], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ, **known})


def has_ended(process) -> None:
    """And is not waited for."""
    process.stdin.close()
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
