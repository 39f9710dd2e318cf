"""The collector as one file."""

import os
import subprocess
import sys

from paramon.pack import packed
from paramon.sample.profile import open_profile


def test_the_same_sources_are_the_same_bytes():
    assert packed() == packed()


def test_each_process_makes_the_same_bytes():
    """What another one has in memory changes nothing."""
    script = "{}import hashlib, sys; from paramon.pack import packed; print(hashlib.sha256(packed()).hexdigest())"
    sums = {
        subprocess.run(
            [sys.executable, "-c", script.format(before)],
            check=True,
            env={**os.environ, "PYTHONPATH": "src", "PYTHONHASHSEED": seed},
            capture_output=True,
        ).stdout
        for before, seed in (("", "1"), ("import paramon.cli, json, decimal; ", "2"))
    }
    assert len(sums) == 1


def test_what_is_imported_is_compiled_already(tmp_path):
    file = tmp_path / "paramon.pyz"
    file.write_bytes(packed())
    script = "import sys; sys.path.insert(0, sys.argv[1]); import paramon.cli as m; print(m.__cached__ or m.__file__)"
    argv = [sys.executable, "-I", "-S", "-c", script, str(file)]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert told.strip().endswith("cli.pyc")


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
