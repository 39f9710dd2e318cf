"""The collector as one file."""

import ast
import os
import subprocess
import sys

import pytest

from paramon.pack import MAIN, packed
from paramon.sample.profile import open_profile


def test_the_same_sources_are_the_same_bytes():
    assert packed() == packed()


def test_each_process_makes_the_same_bytes():
    """What another one has in memory changes nothing."""
    script = "{}import hashlib, sys; from paramon.pack import MAIN, packed; print(hashlib.sha256(packed()).hexdigest())"
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


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    path = tmp_path_factory.mktemp("pack") / "paramon.pyz"
    known = {**os.environ, "PYTHONPATH": "src"}
    subprocess.run([sys.executable, "-m", "paramon.pack", str(path)], check=True, env=known)
    return str(path)


def test_what_is_imported_is_compiled_already(file):
    script = "import sys; sys.path.insert(0, sys.argv[1]); import paramon.cli as m; print(m.__cached__ or m.__file__)"
    argv = [sys.executable, "-I", "-S", "-c", script, file]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert told.strip().endswith("cli.pyc")


def run(file, folder, *options, command="exit 3"):
    argv = [sys.executable, "-I", "-S", *options, file, "run", "--folder", str(folder), "--", "sh", "-c", command]
    bare = {"PATH": os.environ["PATH"]}
    return subprocess.run(argv, check=False, cwd=folder.parent, env=bare, timeout=60, capture_output=True, text=True)


def test_the_file_runs_alone(file, tmp_path):
    assert run(file, tmp_path / "profile").returncode == 3
    (node,) = open_profile(str(tmp_path / "profile"))
    assert node.end["exit_code"] == 3


def test_nvidias_binding_is_in_it(file):
    script = "import sys; sys.path.insert(0, sys.argv[1]); import pynvml as m; print(m.__cached__ or m.__file__)"
    argv = [sys.executable, "-I", "-S", "-c", script, file]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    assert told == f"{file}/pynvml.pyc\n"


def test_what_a_run_does_not_need_takes_no_memory(file, tmp_path):
    """Each of these is a third of a MiB at least, where all of it has to do with sixteen."""
    told = run(file, tmp_path / "profile", "-X", "importtime").stderr
    loaded = {line.rpartition("|")[2].strip() for line in told.splitlines()}
    assert {"argparse", "ctypes", "paramon.record", "paramon.sensors.gpu"} <= loaded
    needless = {"shutil", "bz2", "lzma", "threading", "subprocess", "dataclasses", "inspect", "random", "asyncio",
                "pynvml", "paramon.perf.rank", "paramon.perf.adopted", "paramon.show.page", "paramon.top.reel",
                "paramon.agent.serve"}  # fmt: skip
    assert loaded & needless == set()


def started_with(path, tmp_path, *options):
    """A file that needs a later Python than any, and what there is in the folder."""
    file = tmp_path / "later.pyz"
    file.write_bytes(packed(needed=(9, 9)))
    argv = [sys.executable, *options, str(file), "show", "a b"]
    return subprocess.run(argv, check=False, env={"PATH": str(path)}, timeout=60, capture_output=True, text=True)


@pytest.mark.parametrize("options", [(), ("-I",)])
def test_where_python_is_too_old_a_newer_one_beside_it_takes_over(tmp_path, options):
    for name, mode in (("python3.8", 0o755), ("python3.10", 0o755), ("python3.11", 0o755), ("python3.12", 0o644)):
        (tmp_path / name).write_text('#!/bin/sh\nprintf "%s\\n" "$0" "$@"\n')
        (tmp_path / name).chmod(mode)
    told = started_with(f"/nowhere:{tmp_path}", tmp_path, *options)
    assert told.stdout.splitlines() == [f"{tmp_path}/python3.11", *options, f"{tmp_path}/later.pyz", "show", "a b"]


def test_where_there_is_none_it_says_what_it_needs(tmp_path):
    told = started_with(tmp_path, tmp_path)
    assert (told.returncode, "9.9" in told.stderr) == (1, True)


def test_the_oldest_pythons_understand_who_is_too_old():
    """No Python 3 is so old that it does not read these lines."""
    ast.parse(MAIN.format(needed=(3, 9), version="3.9"), feature_version=(3, 4))
