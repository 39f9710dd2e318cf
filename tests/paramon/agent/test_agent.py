"""`paramon agent` as it runs: it sees all of the node, by job, and ends when it is told to."""

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys

import pytest
from tests.paramon.agent.started import agent
from tests.paramon.agent.strict import Read, read, value
from tests.paramon.ran import everybody, paramon

from paramon.agent.openmetrics import CONTENT_TYPE
from paramon.sample.profile import open_profile

ME = pwd.getpwuid(os.getuid()).pw_name
JOB = "990017"
WRITES = (
    "import os, sys; f = open('/dev/null', 'wb', 0); [f.write(b'x' * 100) for _ in range(500)]; print(1, flush=True)"
)
HELD = WRITES + "\nmemory = bytearray(os.urandom(1 << 20) * 40); print(2, flush=True); sys.stdin.read()"


def of_job(found: dict[str, Read], family: str, **labels: str) -> float:
    return value(found, f"paramon_job_{family}", jobid=JOB, **labels)


def is_seen(found: dict[str, Read]) -> bool:
    return any(("jobid", JOB) in given for given in found["paramon_job_processes"].samples)


@contextlib.contextmanager
def job(**environment: str):
    """A process of the job, that has written and holds its memory."""
    argv = [sys.executable, "-c", HELD]
    known = {**os.environ, **environment}
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=known, text=True) as process:
        try:
            assert process.stdout.readline() + process.stdout.readline() == "1\n2\n"
            yield process
        finally:
            process.kill()


def test_a_job_is_seen_by_its_environment_with_all_that_it_uses_and_gone_when_it_is():
    with agent() as started:
        with job(SLURM_JOB_ID=JOB):
            found = started.until(lambda now: is_seen(now) and of_job(now, "memory_bytes") > 40 << 20)
            assert of_job(found, "processes", user=ME) == 1
            assert of_job(found, "threads") >= 1
            assert of_job(found, "io_calls", way="write") >= 500
            assert of_job(found, "io_bytes", way="write") >= 50_000
            assert of_job(found, "cpu_seconds", mode="user") + of_job(found, "cpu_seconds", mode="system") > 0
            assert value(found, "paramon_job_processes", user=ME, by="user") >= 1
            assert "paramon_process_threads" not in found
            used = of_job(found, "cpu_seconds", mode="user")
        found = started.until(lambda now: of_job(now, "processes") == 0)
        assert of_job(found, "cpu_seconds", mode="user") >= used
        assert of_job(found, "memory_bytes") == 0
        assert of_job(found, "memory_peak_bytes") > 40 << 20


def test_the_page_is_openmetrics_with_the_node_and_what_cannot_be_had():
    with agent() as started:
        found = started.until(lambda now: value(now, "paramon_agent_looks") > 2)
        status, kind, body = started.ask()
        assert (status, kind) == (200, CONTENT_TYPE)
        assert {"paramon_node_cpu_user_seconds", "paramon_node_memory_available_bytes"} <= set(read(body))
        missing = {dict(given)["what"]: dict(given)["reason"] for given in found["paramon_unavailable"].samples}
        assert all(missing.values())
        assert missing
        assert value(found, "paramon_agent_cpu_seconds") > value(found, "paramon_agent_serving_cpu_seconds") > 0
        assert started.ask("/")[0] == 404


def test_no_kernel_thread_is_a_process_and_the_agent_is_none_of_its_own():
    with agent("--per-process") as started:
        found = started.until(lambda now: value(now, "paramon_agent_looks") > 1)
        pids = {dict(given)["pid"] for given in found["paramon_process_threads"].samples}
        assert {"1", str(os.getpid())} <= pids
        assert str(started.process.pid) not in pids
        for pid in pids - {"1"}:
            with contextlib.suppress(OSError), open(f"/proc/{pid}/stat") as file:
                assert int(file.read().rpartition(") ")[2].split()[6]) & 0x00200000 == 0


def test_clients_that_hang_do_not_keep_it_from_looking():
    with agent() as started, contextlib.ExitStack() as held:
        for first in (b"", b"GET /metr", b"GET /metrics HTTP/1.1\r\n\r\n"):
            one = held.enter_context(socket.create_connection(("127.0.0.1", started.port)))
            one.sendall(first)
        looks = value(read(started.ask()[2]), "paramon_agent_looks")
        started.until(lambda now: value(now, "paramon_agent_looks") >= looks + 3)


def test_a_profile_of_the_node_is_written_where_a_folder_is_named(tmp_path):
    folder = tmp_path / "profile"
    with agent("--folder", str(folder), "--node", "n7") as started:
        started.until(lambda now: value(now, "paramon_agent_looks") > 2)
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(60) == 0
    (node,) = open_profile(str(folder))
    assert node.header["node"] == "n7"
    assert node.end is not None
    assert node.end["ticks"] >= 3
    assert os.getpid() in {one.pid for one in everybody(node)}


def test_none_is_written_where_no_folder_is_named(tmp_path):
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        with agent() as started:
            started.ask()
    finally:
        os.chdir(before)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("listen", ["9101", ":9101", "127.0.0.1:", "127.0.0.1:x", "::1:9101", "127.0.0.1:65536"])
def test_an_address_that_is_none_is_refused_by_name(listen):
    done = paramon("agent", "--listen", listen)
    assert done.returncode == 2
    assert "--listen" in done.stderr


def test_an_address_that_is_taken_is_refused_and_nothing_is_written(tmp_path):
    with agent() as started:
        done = paramon("agent", "--listen", f"127.0.0.1:{started.port}", "--folder", str(tmp_path / "profile"))
    assert done.returncode == 2
    assert f"127.0.0.1:{started.port}" in done.stderr
    assert not (tmp_path / "profile").exists()
