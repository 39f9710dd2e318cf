"""The collector as one file."""

import os
import subprocess
import sys

from paramon.pack import packed
from paramon.sample.profile import open_profile


def test_the_same_sources_are_the_same_bytes():
    assert packed() == packed()


def test_the_file_runs_alone(tmp_path):
    file = tmp_path / "paramon.pyz"
    subprocess.run(
        [sys.executable, "-m", "paramon.pack", str(file)], check=True, env={**os.environ, "PYTHONPATH": "src"}
    )
    argv = [
        sys.executable,
        "-I",
        "-S",
        str(file),
        "run",
        "--folder",
        str(tmp_path / "profile"),
        "--",
        "sh",
        "-c",
        "exit 3",
    ]
    bare = {"PATH": os.environ["PATH"]}
    assert subprocess.run(argv, check=False, cwd=tmp_path, env=bare, timeout=60).returncode == 3
    (node,) = open_profile(str(tmp_path / "profile"))
    assert node.end["exit_code"] == 3
