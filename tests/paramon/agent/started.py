"""A real agent, and what it tells who asks."""

import http.client
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.paramon.agent.strict import Read, read

ROOT = Path(__file__).parents[3]
PATIENCE_SECONDS = 60


class Started:
    def __init__(self, process: subprocess.Popen[str], port: int):
        self.process, self.port = process, port

    def ask(self, path: str = "/metrics") -> tuple[int, str, str]:
        """Status, type, body."""
        asked = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE_SECONDS)
        try:
            asked.request("GET", path)
            answer = asked.getresponse()
            return answer.status, answer.headers["Content-Type"], answer.read().decode()
        finally:
            asked.close()

    def until(self, is_it: Callable[[dict[str, Read]], bool]) -> dict[str, Read]:
        """What it tells when it tells that."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            found = read(self.ask()[2])
            if is_it(found):
                return found
            time.sleep(0.1)
        raise AssertionError(f"it never came to that: {sorted(found)}")


SHORT_MINUTES = "import sys, paramon.record as r; r.CHUNK_SECONDS = 1; from paramon.cli import main; sys.exit(main())"


@contextmanager
def agent(*options: str, has_short_minutes: bool = False) -> Iterator[Started]:
    """`has_short_minutes`: the minutes of its profile have a second."""
    called = ["-c", SHORT_MINUTES] if has_short_minutes else ["-m", "paramon"]
    argv = [sys.executable, *called, "agent", "--listen", "127.0.0.1:0", "--period", "0.2", *options]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8", "PARACLOUD_LANGUAGE": ""}
    for name in ("SLURM_JOB_ID", "JOB_ID"):
        environment.pop(name, None)
    with subprocess.Popen(argv, env=environment, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stderr is not None
            first = process.stderr.readline()
            assert first.startswith("paramon: metrics at http://127.0.0.1:"), first + process.stderr.read()
            yield Started(process, int(first.rpartition(":")[2].partition("/")[0]))
        finally:
            process.kill()
