"""Jobs that wait too long at a full centre go to the other one: killed at every step, raced at every step. Judged by
both centres' sacct and by the ledger."""

import os
import signal
import time
from uuid import UUID

import pytest
from demo.stage import Stage, Tenant
from tests.story.acts import assert_charged_as_accounted, ended, names_at, reached, sacct, script, sql
from tests.story.gate import closed_at_step
from tests.story.test_server_faults import tending

from paracloud.kit.identifiers import JobId, submit_tag

FREE = """
    UPDATE jobs SET movable = true, spec = spec - 'centre', submitted_at = submitted_at - interval '7 days'
     WHERE id = $1
"""
"""As if it had not been bound to its centre, and had waited for longer than any forecast says."""
LEFT = "SELECT from_centre, from_native_id FROM job_moves WHERE job_id = $1 ORDER BY id"
MOVES = "SELECT step, end_en FROM job_moves WHERE job_id = $1 ORDER BY id"


def waiting(stage: Stage, tenant: Tenant) -> UUID:
    """A job that waits in the east, and is still bound to it."""
    job = tenant.client.submit(script(tenant, "echo payload; sleep 1")).id
    reached(stage, tenant, job, "queued")
    return job


def rows_of(stage: Stage, centre: str, job: UUID, moves: int) -> list[list[str]]:
    """A job that was cancelled while it was held was never eligible: only by its id is it found."""
    name = f"pc-{submit_tag(JobId(job), moves)}"
    left = [row for row in sql(stage, LEFT, job) if row["from_centre"] == centre and row["from_native_id"]]
    native = [str(row["from_native_id"]) for row in left]
    rows = sacct(stage, centre) + (sacct(stage, centre, "-j", ",".join(native)) if native else [])
    return [list(row) for row in dict.fromkeys(tuple(row) for row in rows if row[3] == name)]


def assert_moved_and_ran_once(stage: Stage, tenant: Tenant, job: UUID) -> None:
    done = ended(stage, tenant, job)
    assert (done.job.state, done.job.centre) == ("completed", "west")
    assert tenant.client.log(job) == b"payload\n"
    left = rows_of(stage, "east", job, 0)
    assert [row[1].partition(" ")[0] for row in left] == ["CANCELLED"]
    assert [row[2] for row in left] == ["0"]
    assert [row[1] for row in rows_of(stage, "west", job, 1)] == ["COMPLETED"]
    assert any("moved from east/cpu to west/cpu because" in event.reason for event in done.events)
    assert_charged_as_accounted(stage, tenant, done)


def test_a_job_that_waits_at_a_full_centre_moves_to_the_idle_one(stage, tenant, hog) -> None:
    job = waiting(stage, tenant)
    sql(stage, FREE, job)
    assert_moved_and_ran_once(stage, tenant, job)
    assert [row["step"] for row in sql(stage, MOVES, job)] == ["moved"]


@pytest.mark.parametrize("step", ["holding", "leaving", "cancelling", "moved"])
def test_a_worker_killed_at_any_step_of_a_move_doubles_and_loses_nothing(stage, tenant, hog, step) -> None:
    job = waiting(stage, tenant)
    with closed_at_step(stage, job, step) as gate:
        sql(stage, FREE, job)
        stage.wait(gate.has_caught, f"the step {step}")
        os.kill(tending(stage, "east")[0], signal.SIGKILL)
    assert_moved_and_ran_once(stage, tenant, job)


def let_start(stage: Stage, job: UUID) -> None:
    """As whoever runs the centre may do, whatever we think: released, before all others, and with room."""
    name = f"pc-{job.hex}"
    east = stage.lab.centres["east"]
    native = east.exec(["squeue", "-h", "-t", "all", "-n", name, "-o", "%A"]).stdout.strip()
    east.exec(["scontrol", "release", native])
    stage.wait(lambda: _state(stage, native) not in ("", "PENDING"), f"{native} to start")


def _state(stage: Stage, native: str) -> str:
    return stage.lab.centres["east"].exec(["squeue", "-h", "-t", "all", "-j", native, "-o", "%T"]).stdout.strip()


@pytest.mark.parametrize("step", ["holding", "leaving", "cancelling"])
def test_a_job_whose_start_races_its_move_runs_once_where_it_took_its_marker(stage, tenant, hog, step) -> None:
    """The room comes at the very moment: until the marker is ours, the job has it and stays; after that it runs nothing
    in the east."""
    job = waiting(stage, tenant)
    with closed_at_step(stage, job, step) as gate:
        sql(stage, FREE, job)
        stage.wait(gate.has_caught, f"the step {step}")
        hog.leave()
        let_start(stage, job)
    done = ended(stage, tenant, job)
    assert done.job.state == "completed"
    assert tenant.client.log(job) == b"payload\n"
    in_west = rows_of(stage, "west", job, 1)
    if step == "cancelling":
        assert (done.job.centre, len(in_west)) == ("west", 1)
        assert [row[1] for row in rows_of(stage, "east", job, 0)] == ["COMPLETED"]
        usage = sql(stage, "SELECT is_duplicate FROM usage WHERE centre = 'east' AND name = $1", f"pc-{job.hex}")
        assert [row["is_duplicate"] for row in usage] == [True]
    else:
        assert (done.job.centre, in_west) == ("east", [])
        assert [row["step"] for row in sql(stage, MOVES, job)] == ["stayed"]
    assert_charged_as_accounted(stage, tenant, done)


SICKEN = "UPDATE centre_health SET failing_since = failing_since - interval '1 hour' WHERE centre = 'east'"


def test_what_a_dead_centre_was_not_sent_yet_goes_to_another_one_and_what_it_has_waits_for_it(stage, tenant) -> None:
    east = stage.lab.centres["east"]
    sent = tenant.client.submit(script(tenant, "echo payload", hold="true")).id
    native_id = reached(stage, tenant, sent, "queued").job.native_id
    # The controller writes its jobs down some seconds after a change; what it forgets when it dies before is another
    # story. It may have done so already: what changes now is written down with the job.
    began = time.time()
    assert east.exec(["scontrol", "update", f"jobid={native_id}", "comment=seen"]).returncode == 0
    stage.wait(lambda: (east.site.folder / "state/job_state").stat().st_mtime > began, "its state on disk")
    east.kill("slurmctld")
    try:
        stage.wait(lambda: _failing(stage), "the centre to be reported as troubled")
        job = tenant.client.submit(script(tenant, "echo payload")).id
        sql(stage, FREE, job)
        sql(stage, SICKEN)
        stage.wait(lambda: tenant.client.job(job).job.centre == "west", "the job to go west")
        done = ended(stage, tenant, job)
        assert done.job.state == "completed"
        assert tenant.client.log(job) == b"payload\n"
        assert any("east does not answer and knew nothing of it yet" in event.reason for event in done.events)
        assert tenant.client.job(sent).job.centre == "east"
    finally:
        east.start("slurmctld")
    assert rows_of(stage, "east", job, 0) == []
    assert [row[1] for row in rows_of(stage, "west", job, 1)] == ["COMPLETED"]
    stage.wait(lambda: not _failing(stage), "the centre to be well again", 240)
    tenant.client.wish(sent, "release")
    assert ended(stage, tenant, sent).job.state == "completed"
    assert names_at(stage, "east").count(f"pc-{sent.hex}") == 1
    assert_charged_as_accounted(stage, tenant, done)


def _failing(stage: Stage) -> bool:
    return next(one for one in stage.operator.centres().items if one.name == "east").failing_since is not None
