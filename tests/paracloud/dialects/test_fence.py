"""The run marker: a job has it, or we have it, in a real shell with the very script that jobs run."""

import subprocess
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from uuid import UUID

import pytest

from paracloud.dialects.fence import fence
from paracloud.dialects.records import Request
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.command import Completed
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import JobId, SubmitTag, new_uuid, submit_tag, tagged

JOB = JobId(new_uuid())
TAG = submit_tag(JOB)


def run_fence(home: Path, *tags: SubmitTag) -> dict[SubmitTag, bool]:
    command, environment = fence(tags), {"HOME": str(home), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command.argv, input=command.stdin, capture_output=True, env=environment, check=True)
    return dict(command.parse(Completed(done.returncode, done.stdout, done.stderr)))


def run_job(home: Path, native_id: str = "41") -> str:
    request = Request(
        tag=TAG, name="x", script="#!/bin/sh\necho payload\n", work_directory="w", queue="cpu", tasks=1,
        cores_per_task=1, wall_limit=timedelta(minutes=1),
    )  # fmt: skip
    (home / "w").mkdir(exist_ok=True)
    script = SlurmDialect().script(request)
    environment = {"HOME": str(home), "PATH": "/usr/bin:/bin", "SLURM_JOB_ID": native_id}
    return subprocess.run(["bash", "-c", script], capture_output=True, env=environment, check=True).stdout.decode()


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / ".paracloud/jobs").mkdir(parents=True)
    return tmp_path


def test_a_job_whose_marker_is_ours_runs_nothing_and_ends_well(home: Path) -> None:
    assert run_fence(home, TAG) == {TAG: True}
    assert run_job(home) == ""
    assert run_fence(home, TAG) == {TAG: True}


def test_the_marker_of_a_job_that_has_started_is_not_ours(home: Path) -> None:
    assert run_job(home) == "payload\n"
    assert run_fence(home, TAG) == {TAG: False}


def test_of_a_job_and_a_move_at_the_same_moment_one_has_it(home: Path) -> None:
    for number in range(12):
        place = home / str(number)
        (place / ".paracloud/jobs").mkdir(parents=True)
        with ThreadPoolExecutor(2) as pool:
            ran, ours = pool.submit(run_job, place), pool.submit(run_fence, place, TAG)
        assert (ran.result() == "") == ours.result()[TAG]


def test_each_of_many_has_an_answer_of_its_own(home: Path) -> None:
    run_job(home)
    others = [submit_tag(JobId(new_uuid())) for _ in range(3)]
    assert run_fence(home, *others, TAG) == {**dict.fromkeys(others, True), TAG: False}


@pytest.mark.parametrize("said", ["", "Welcome!\n", "paracloud-run TAG moved\n", "paracloud-run 00 moved .\n"])
def test_an_answer_that_is_none_says_nothing(said: str) -> None:
    with pytest.raises(Unreachable):
        fence([TAG]).parse(Completed(0, said.replace("TAG", TAG).encode(), b""))


def test_a_tag_says_whose_it_is_and_after_how_many_moves() -> None:
    tags = [submit_tag(JOB, moves) for moves in range(9)]
    assert tags[0] == JOB.hex
    assert len(set(tags)) == 9
    assert [tagged(tag) for tag in tags] == [(JOB, moves) for moves in range(9)]
    for job, moves in ((JOB, 9), (JOB, -1), (JobId(UUID(int=5)), 1)):
        with pytest.raises(ValueError, match="no tag"):
            submit_tag(job, moves)
