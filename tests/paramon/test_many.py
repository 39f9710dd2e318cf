"""Very many processes: nothing grows with those that have gone, and a budget stays one. Ten thousand are a story."""

import subprocess
import sys
import time
import tracemalloc
from pathlib import Path

from tests.paramon.ran import ROOT, last_rows
from tests.paramon.table_world import JOB, OWN, Told, World
from tests.paramon.test_watch import ENVIRONMENT, until_ticked

from paramon.sample.profile import open_profile

SLEEPERS = """
import os, sys
gone, kept = os.pipe()
for _ in range(int(sys.argv[1])):
    if not os.fork():
        os.close(kept)
        os.read(gone, 1)
        os._exit(0)
print("ready", flush=True)
sys.stdin.read(1)
"""


def beside(folder: Path, count: int, *options: str) -> subprocess.Popen[str]:
    """A collector of so many processes, all there."""
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(folder), *options, "--"]
    command = [sys.executable, "-S", "-E", "-c", SLEEPERS, str(count)]
    pipe = subprocess.PIPE
    process = subprocess.Popen([*argv, *command], env=ENVIRONMENT, stdin=pipe, stdout=pipe, text=True)
    assert process.stdout.readline() == "ready\n"
    return process


IDLE_SECONDS = 0.002
"""Of CPU in a quarter of a second: that is between two looks."""


def cpu_seconds(pid: int) -> float:
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def test_what_looking_costs_stays_within_the_budget_and_it_says_that_it_looks_less_often(tmp_path):
    """A look is paid for by the time after it: what is measured may begin before one and end after one."""
    process = beside(tmp_path, 500, "--budget", "0.5", "--period", "0.1")
    until_ticked(tmp_path, 3)
    began, spent, looks = time.monotonic(), [cpu_seconds(process.pid)], [0.0]
    while time.monotonic() - began < 20:  # of which so much is the measure
        time.sleep(0.25)
        spent.append(cpu_seconds(process.pid))
        more = spent[-1] - spent[-2]
        looks.append(looks[-1] + more if more > IDLE_SECONDS else 0.0)  # one that has to wait for a CPU takes several
    seconds = time.monotonic() - began
    process.communicate(timeout=120)
    (node,) = open_profile(str(tmp_path))
    assert node.header["budget"] == 0.005
    assert spent[-1] - spent[0] <= 0.005 * seconds + max(looks)
    assert len(last_rows(node)) == 501
    assert node.end["slowed_ticks"] > node.end["ticks"], "else nothing was measured"
    assert node.end["ticks"] + node.end["slowed_ticks"] + node.end["missed_ticks"] >= 200


OURS = tracemalloc.Filter(True, f"{ROOT}/src/paramon/*")  # its parameter of that place
"""Else the interpreter's table of interned strings counts too, which grows by a megabyte at once."""


def test_nothing_in_memory_grows_with_those_that_have_gone(tmp_path):
    """A hundred thousand an hour are thirty a look."""
    told = Told()
    world = World(tmp_path, told)
    world.is_there(JOB, OWN)
    sizes = []
    tracemalloc.start()
    for first in range(1000, 5000, 1000):
        for pid in range(first, first + 1000, 20):
            for one in range(pid, pid + 20):
                world.is_there(one, JOB, ticks=1)
                told.ends(one + 10_000, JOB, 1, name=f"short{one}")
            world.look()
            for one in range(pid, pid + 20):
                world.goes(one)
                told.ends(one, JOB, 1)
        world.look()
        world.chunk.finish()
        world.came.clear()
        taken = tracemalloc.take_snapshot().filter_traces([OURS])
        sizes.append(sum(one.size for one in taken.statistics("filename")))
    tracemalloc.stop()
    assert sizes[-1] - sizes[1] < 20_000, "two thousand processes later"
    world.table.close()
