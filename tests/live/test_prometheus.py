"""A real Prometheus asks a real agent, and has what it was told."""

import http.client
import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.parse
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.paramon.agent.started import agent

JOB = "990018"
ODD = 'x "y" \\z'
CONFIG = """
global: {{scrape_interval: 1s, scrape_timeout: 1s}}
scrape_configs:
- job_name: paramon
  static_configs: [{{targets: ['127.0.0.1:{port}']}}]
"""
BURN = "while True: pass"
PATIENCE_SECONDS = 90


class Prometheus:
    def __init__(self, port: int, log: Path):
        self._port, self._log = port, log

    def ask(self, path: str, **asked: str) -> Any:
        api = http.client.HTTPConnection("127.0.0.1", self._port, timeout=10)
        try:
            api.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(asked)}")
            return json.load(api.getresponse())["data"]
        finally:
            api.close()

    def value(self, query: str) -> float:
        """Of the one series that it finds; -1 for none."""
        found = self.ask("query", query=query)["result"]
        assert len(found) <= 1, found
        return float(found[0]["value"][1]) if found else -1.0

    def until(self, is_it: Callable[[], bool], what: str) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            try:
                if is_it():
                    return
            except (OSError, http.client.HTTPException, ValueError):
                pass  # it is starting
            time.sleep(0.2)
        raise AssertionError(f"{what} never came: {self._log.read_text()[-3000:]}")


@contextmanager
def prometheus(folder: Path, agent_port: int) -> Iterator[Prometheus]:
    program = shutil.which("prometheus")
    if program is None:
        pytest.skip("Debian's package prometheus is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    config, log = folder / "prometheus.yml", folder / "prometheus.log"
    config.write_text(CONFIG.format(port=agent_port))
    options = [
        f"--config.file={config}",
        f"--storage.tsdb.path={folder}/data",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with log.open("wb") as out, subprocess.Popen([program, *options], stdout=out, stderr=out) as process:
        try:
            yield Prometheus(port, log)
        finally:
            process.terminate()


def test_prometheus_has_what_the_agent_tells(tmp_path: Path) -> None:
    sleep = shutil.copy("/bin/sleep", tmp_path / ODD)
    known = {**os.environ, "SLURM_JOB_ID": JOB}
    with (
        agent("--per-process") as started,
        prometheus(tmp_path, started.port) as asked,
        subprocess.Popen([sys.executable, "-c", BURN], env=known) as busy,
        subprocess.Popen([sleep, "600"], env=known) as odd,
    ):
        try:
            _compare(asked)
        finally:
            busy.kill()
            odd.kill()


def _compare(asked: Prometheus) -> None:
    of_job = f'{{jobid="{JOB}"}}'
    asked.until(lambda: asked.value(f"paramon_job_processes{of_job}") == 2, "the job")
    used = f"sum by (jobid) (rate(paramon_job_cpu_seconds_total{of_job}[10s]))"
    asked.until(lambda: asked.value(used) > 0, "its CPU time")
    (target,) = asked.ask("targets")["activeTargets"]
    assert (target["health"], target["lastError"]) == ("up", "")
    named = 'paramon_process_threads{name="' + ODD.replace("\\", "\\\\").replace('"', '\\"') + '"}'
    assert asked.value(named) == 1
    assert asked.value("paramon_agent_resident_memory_bytes") > 1 << 20
    assert asked.value("paramon_node_memory_total_bytes") == os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    reasons = asked.ask("query", query="paramon_unavailable_info")["result"]
    assert all(one["metric"]["reason"] for one in reasons)
    told = asked.ask("metadata")
    (about,) = told["paramon_job_cpu_seconds"]
    assert (about["type"], about["unit"]) == ("counter", "seconds")
    assert all(
        one["help"] and one["type"] != "unknown" for name in told if name.startswith("paramon_") for one in told[name]
    )
