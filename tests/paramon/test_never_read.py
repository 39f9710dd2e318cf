"""Files that the collector never opens: they hold the lock of a process's memory for milliseconds a gigabyte, and the
process waits for it at each page fault. Seen from its own interpreter (sys.addaudithook), as it runs."""

import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.agent.started import Started
from tests.paramon.agent.strict import value
from tests.paramon.test_watch import ENVIRONMENT, until_ticked

NEVER = {"smaps", "smaps_rollup", "numa_maps", "pagemap", "clear_refs"}
ALWAYS = {"stat", "status", "io", "schedstat"}
NOTED = """
import os, sys
noted = os.open(sys.argv.pop(1), os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
def note(event, given):
    if event == "open":
        os.write(noted, os.fsencode(f"{given[0]}\\n"))
sys.addaudithook(note)
from paramon.cli import main
sys.exit(main())
"""
BUSY = """
import sys, threading
threads = [threading.Thread(target=sys.stdin.readline) for _ in range(4)]
for one in threads:
    one.start()
while any(one.is_alive() for one in threads):
    bytearray(8 << 20)
"""
"""It has threads and takes memory, as those of which one may want to know more."""


def noting(noted: Path, *words: str, **how) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", NOTED, str(noted), *words], env=ENVIRONMENT, **how)


def run(folder: Path, noted: Path, busy: list[str]) -> None:
    told = ("--period", "0.1", "--budget", "50", "--folder", str(folder))
    with noting(noted, "run", *told, "--", *busy, stdin=subprocess.PIPE) as process:
        until_ticked(folder, 15)
        process.communicate(b"\n" * 4, timeout=60)


def watch(folder: Path, noted: Path, busy: list[str]) -> None:
    with subprocess.Popen(busy, stdin=subprocess.PIPE) as process:
        told = ("--period", "0.1", "--budget", "50", "--folder", str(folder))
        with noting(noted, "watch", "--pid", str(process.pid), *told):
            try:
                until_ticked(folder, 15)
            finally:
                process.communicate(b"\n" * 4, timeout=60)


def agent(_: Path, noted: Path, busy: list[str]) -> None:
    words = ("agent", "--listen", "127.0.0.1:0", "--period", "0.1", "--budget", "50")
    with subprocess.Popen(busy, stdin=subprocess.PIPE) as process:
        with noting(noted, *words, stderr=subprocess.PIPE) as collector:
            try:
                port = int(collector.stderr.readline().rpartition(b":")[2].partition(b"/")[0])
                Started(collector, port).until(lambda found: value(found, "paramon_agent_looks") >= 15)
            finally:
                collector.terminate()
        process.communicate(b"\n" * 4, timeout=60)


@pytest.mark.parametrize("collect", [run, watch, agent])
def test_what_makes_a_process_wait_is_never_opened(tmp_path, collect):
    collect(tmp_path / "profile", tmp_path / "noted", [sys.executable, "-I", "-c", BUSY])
    opened = {line.rpartition("/")[2] for line in (tmp_path / "noted").read_text("utf-8", "replace").splitlines()}
    assert opened >= ALWAYS
    assert not opened & NEVER
