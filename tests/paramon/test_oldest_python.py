"""The one file with the oldest Python that it promises to run on: each of its words, for real."""

import csv
import http.client
import json
import os
import pkgutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import paramon as package
from paramon.pack import packed

ROOT = Path(__file__).parents[2]
OLDEST = ROOT / ".tools/python3.9/python3.9"
"""`./run test` fetches it."""
pytestmark = pytest.mark.skipif(not OLDEST.exists(), reason="no Python 3.9 here: ./run test fetches it from Debian 11")
BURN = "import time\nwhile time.process_time() < 0.5: pass"


@pytest.fixture(scope="module")
def file(tmp_path_factory) -> str:
    path = tmp_path_factory.mktemp("oldest") / "paramon.pyz"
    path.write_bytes(packed())
    return str(path)


def start(file: str, *words: str, **how) -> "subprocess.Popen[str]":
    bare = {"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8"}
    return subprocess.Popen([str(OLDEST), "-I", "-S", file, *words], env=bare, text=True, **how)


def said(file: str, *words: str) -> str:
    with start(file, *words, stdout=subprocess.PIPE) as process:
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 0
    return out


@pytest.fixture(scope="module")
def profile(file, tmp_path_factory) -> str:
    folder = str(tmp_path_factory.mktemp("profile"))
    said(file, "run", "--folder", folder, "--period", "0.1", "--", sys.executable, "-S", "-c", BURN)
    return folder


def _port(told: str) -> int:
    assert told.startswith("paramon: metrics at http://127.0.0.1:"), told
    return int(told.rpartition(":")[2].partition("/")[0])


def test_it_is_the_oldest():
    told = subprocess.run([str(OLDEST), "-V"], check=True, capture_output=True, text=True).stdout
    assert told.startswith("Python 3.9.")


def test_every_module_can_be_imported(file):
    names = [one.name for one in pkgutil.walk_packages(package.__path__, "paramon.")]
    left_out = {"paramon.__main__", "paramon.pack", "paramon.top.rich_paint"}  # not in the file, or in need of rich
    script = (
        "import importlib, sys; sys.path.insert(0, sys.argv[1]); [importlib.import_module(n) for n in sys.argv[2:]]"
    )
    argv = [str(OLDEST), "-I", "-S", "-c", script, file, *(name for name in names if name not in left_out)]
    assert len(argv) > 100
    subprocess.run(argv, check=True)


def test_a_run_is_seen_shown_and_exported(file, profile, tmp_path):
    (node,) = json.loads(said(file, "show", "--json", profile))["nodes"]
    assert node["cpu_ms"] >= 400
    assert "CPU" in said(file, "show", profile)
    assert "python" in said(file, "top", "--once", "--plain", profile)
    said(file, "export", "--csv", profile, "-o", str(tmp_path / "out.csv"))
    rows = list(csv.DictReader((tmp_path / "out.csv").read_text().splitlines()))
    assert sum(int(row["user_ticks"]) for row in rows[-2:]) > 0


def test_what_runs_already_is_watched(file, tmp_path):
    with subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE, text=True) as one:
        watching = start(file, "watch", "--pid", str(one.pid), "--folder", str(tmp_path / "profile"))
        with watching:
            while not list(tmp_path.glob("profile/*.live")):
                assert watching.poll() is None
                time.sleep(0.02)
            one.communicate("\n")
            assert watching.wait(60) == 0
    assert json.loads(said(file, "show", "--json", str(tmp_path / "profile")))["nodes"]


def test_an_agent_answers(file):
    with start(file, "agent", "--listen", "127.0.0.1:0", "--period", "0.2", stderr=subprocess.PIPE) as process:
        try:
            asked = http.client.HTTPConnection("127.0.0.1", _port(process.stderr.readline()), timeout=30)
            asked.request("GET", "/metrics")
            assert b"paramon_node_" in asked.getresponse().read()
            asked.close()
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
