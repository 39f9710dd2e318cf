"""Where no profile can be written: a job runs all the same, anything else is not started."""

import os
import subprocess
import sys

import pytest
from tests.paramon.ran import ROOT, paramon

from paramon.schedulers import OF_A_JOB


def test_where_no_profile_can_be_written_nothing_is_started(tmp_path):
    (tmp_path / "file").write_text("")
    done = paramon("run", "--folder", str(tmp_path / "file"), "--", "touch", str(tmp_path / "started"))
    assert done.returncode == 2
    assert "--folder" in done.stderr
    assert not (tmp_path / "started").exists()


IN_A_JOB = [dict.fromkeys(names, "7") for names in OF_A_JOB]


@pytest.mark.parametrize("job", IN_A_JOB, ids="-".join)
def test_a_job_is_not_lost_because_no_profile_can_be_written(tmp_path, job):
    (tmp_path / "file").write_text("")
    done = paramon("run", "--folder", str(tmp_path / "file"), "--", "sh", "-c", "cat; echo out; exit 7", job=job)
    assert (done.returncode, done.stdout) == (7, "out\n")
    assert "--folder" in done.stderr
    assert "runs without a profile" in done.stderr


@pytest.mark.parametrize(("script", "code"), [("kill -9 $$", -9), ("/no/such/command", 127)])
def test_one_without_a_profile_ends_as_it_would_without_a_collector(tmp_path, script, code):
    (tmp_path / "file").write_text("")
    chinese = {**IN_A_JOB[0], "LC_ALL": "zh_CN.UTF-8"}
    done = paramon("run", "--folder", str(tmp_path / "file"), "--", "sh", "-c", script, job=chinese)
    assert done.returncode == code
    assert "没有采集数据" in done.stderr
    done = paramon("run", "--folder", str(tmp_path / "file"), "--", "/no/such/command", job=chinese)
    assert (done.returncode, "/no/such/command" in done.stderr) == (127, True)


def test_a_job_runs_even_where_nothing_can_be_said(tmp_path):
    (tmp_path / "file").write_text("")
    known = {**os.environ, **IN_A_JOB[0], "PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path / "file"), "--", "sh", "-c", "exit 7"]
    with open("/dev/full", "wb") as full:
        assert subprocess.run(argv, env=known, check=False, stderr=full, timeout=60).returncode == 7


@pytest.mark.parametrize("files", range(8, 26))
def test_a_job_runs_whatever_its_collector_fails_at_for_want_of_files(tmp_path, files):
    """Each limit lets it come a step further; how far depends on the sensors that the machine has."""
    limited = f'ulimit -n {files}; exec "{sys.executable}" -m paramon run --folder {tmp_path} -- sh -c "exit 7"'
    known = {**os.environ, **IN_A_JOB[0], "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(["sh", "-c", limited], env=known, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 7, done.stderr


def test_a_number_that_is_no_schedulers_makes_no_job(tmp_path):
    (tmp_path / "file").write_text("")
    done = paramon("run", "--folder", str(tmp_path / "file"), "--", "true", job={"JOB_ID": "7", "PBS_JOBID": ""})
    assert done.returncode == 2
