"""Collectors beside the same processes, one after the other: paramon, and what others use. Each looks once a second.

Those that can be told so look at the load's processes alone, as paramon does; where one writes, it writes to a file.
"""

import os
import shutil
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.parts.figures import rss_mib, say

PYTHON = "/usr/bin/python3" if Path("/usr/bin/python3").exists() else sys.executable
"""What users start it with: the system's."""
LOADS = Path(__file__).parent / "loads"
SETTLE_SECONDS = 4.0
START_SECONDS = 60.0
QUIET = {"LC_ALL": "C", "ATOPACCT": ""}
"""An empty ATOPACCT keeps atop from switching the machine's process accounting on."""
BY_PID = 'process_names:\n  - name: "{{.PID}}"\n    cmdline: ["processes\\\\.py"]\n'


@dataclass(frozen=True, slots=True)
class Load:
    """`count` processes, of which `working` do something each second."""

    count: int
    working: int


@dataclass(frozen=True, slots=True)
class Cost:
    """`percent` of a core. `startup_ms`: CPU time until it had settled, which is no part of it."""

    percent: float
    rss_mib: float
    startup_ms: float


@dataclass(frozen=True, slots=True)
class Peer:
    """`argv` from the pids of the load, the first being the parent of the others, and a folder of its own. One that
    answers at a port is asked there once a second; what it costs to ask is not counted."""

    argv: Callable[[Sequence[int], Path], list[str]]
    port: int = field(default=0)


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def peers() -> dict[str, Peer]:
    """Those that are installed; of the others it is said that they are not."""
    here, there = _free_port(), _free_port()
    known = {
        "pidstat": Peer(lambda pids, _: ["pidstat", "-urdwh", "-p", ",".join(map(str, pids)), "1"]),
        "atop": Peer(lambda _, folder: ["atop", "-w", str(folder / "atop"), "1"]),
        "collectl": Peer(
            lambda pids, folder: ["collectl", "-sZ", "-i1:1", "--procfilt", f"P{pids[0]}", "-f", str(folder)]
        ),
        "psutil": Peer(
            lambda pids, folder: [sys.executable, str(LOADS / "psutil_loop.py"), str(folder / "rows"), *map(str, pids)]
        ),
        "prometheus-process-exporter": Peer(lambda _, folder: _process_exporter(folder, here), here),
        "prometheus-node-exporter": Peer(
            lambda *_: ["prometheus-node-exporter", f"--web.listen-address=127.0.0.1:{there}"], there
        ),
    }
    missing = [name for name in known if name != "psutil" and shutil.which(name) is None]
    if missing:
        say(f"not installed, so not beside us: {', '.join(missing)}")
    return {name: peer for name, peer in known.items() if name not in missing}


def _process_exporter(folder: Path, port: int) -> list[str]:
    """Each process by itself, and none of what is dear and not asked for."""
    config = folder / "config.yaml"
    config.write_text(BY_PID)
    lean = ["-threads=false", "-children=false", "-gather-smaps=false"]
    return ["prometheus-process-exporter", "-config.path", str(config), f"-web.listen-address=127.0.0.1:{port}", *lean]


def cost_of_paramon(pyz: Path, folder: Path, load: Load, seconds: float) -> Cost:
    """The profile lies in `folder` after it."""
    with _started([PYTHON, str(pyz), "run", "--budget", "100", "--folder", str(folder), "--"], load) as process:
        return _measured(process.pid, seconds)


def cost_of(peer: Peer, folder: Path, load: Load, seconds: float) -> Cost:
    folder.mkdir(parents=True)
    with _started([], load) as process:
        pids = [process.pid, *_children(process.pid)]
        with (folder / "output").open("wb") as out:
            collector = subprocess.Popen(
                peer.argv(pids, folder), stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=os.environ | QUIET
            )
        try:
            if peer.port:
                _wait_for(peer.port)
            return _measured(collector.pid, seconds, peer.port)
        except (OSError, ValueError) as wrong:
            raise RuntimeError(f"{collector.args!r}: {wrong}: {(folder / 'output').read_text()[-500:]}") from wrong
        finally:
            collector.terminate()
            collector.wait()


@contextmanager
def _started(prefix: Sequence[str], load: Load) -> Iterator[subprocess.Popen[bytes]]:
    """All of its processes are there."""
    argv = [*prefix, PYTHON, "-S", "-E", str(LOADS / "processes.py"), str(load.count), str(load.working)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        if process.stdout is None or process.stdin is None or process.stdout.readline() != b"ready\n":
            raise RuntimeError(f"{argv} did not start")
        try:
            yield process
        finally:
            process.stdin.close()
            process.wait()


def _measured(pid: int, seconds: float, port: int = 0) -> Cost:
    _pass(SETTLE_SECONDS, port)
    startup, began = cpu_ns(pid), time.monotonic()
    _pass(seconds, port)
    spent, took = cpu_ns(pid) - startup, time.monotonic() - began
    return Cost(round(spent / 1e7 / took, 3), rss_mib([pid]), round(startup / 1e6, 1))


def _pass(seconds: float, port: int) -> None:
    began = time.monotonic()
    for second in range(1, round(seconds) + 1):
        if port:
            _scrape(port)
        time.sleep(max(began + second - time.monotonic(), 0))


def _scrape(port: int) -> None:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        answer.read()


def _wait_for(port: int) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        with suppress(OSError):
            return _scrape(port)
        time.sleep(0.2)
    raise OSError(f"nothing answers at port {port}")


def cpu_ns(pid: int) -> int:
    """Of all its threads, in nanoseconds: at a per cent of a core, clock ticks are too coarse."""
    found = 0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        with suppress(FileNotFoundError, ProcessLookupError):
            found += int((thread / "schedstat").read_text().split()[0])
    return found


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def mean(costs: Sequence[Cost]) -> float:
    return round(statistics.fmean(one.percent for one in costs), 3)
