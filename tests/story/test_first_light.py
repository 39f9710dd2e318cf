"""Whole stories on real centres. Each is judged by the centre's own sacct and by the ledger, not by our job table."""

import os
import signal
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from fractions import Fraction
from pathlib import Path
from uuid import UUID, uuid4

import pytest
from demo.stage import PRICES, Stage, Tenant

from paracloud.client.errors import ApiError
from paracloud.wire.jobs import JobDetailModel, JobRequest

END_SECONDS = 120.0


def script(tenant: Tenant, body: str, *, centre: str | None = "east", **options: str) -> JobRequest:
    wanted = {"partition": "cpu", "time": "5"} | options
    return JobRequest(project=tenant.project, script=f"#!/bin/bash\n{body}\n", options=wanted, centre=centre)


def ended(stage: Stage, tenant: Tenant, job: UUID) -> JobDetailModel:
    stage.wait(lambda: tenant.client.job(job).job.is_final, f"the end of {job}", END_SECONDS)
    return tenant.client.job(job)


def reached(stage: Stage, tenant: Tenant, job: UUID, *states: str) -> JobDetailModel:
    stage.wait(lambda: tenant.client.job(job).job.state in states, f"{job} to be {states}", END_SECONDS)
    return tenant.client.job(job)


def sacct(stage: Stage, centre: str, *arguments: str) -> list[list[str]]:
    """Rows of an own sacct call inside the centre."""
    argv = ["sacct", "-X", "-n", "-P", "-D", "-o", "JobIDRaw,State,CPUTimeRAW,JobName,Partition", *arguments]
    return [line.split("|") for line in stage.lab.centres[centre].exec(argv).stdout.splitlines()]


def price(core_seconds: int, centre: str, queue: str = "cpu") -> int:
    return round(core_seconds * Fraction(PRICES[centre][queue][0]) * 1_000_000 / 3600)


def micro(amount: str) -> int:
    return int(Fraction(amount) * 1_000_000)


def assert_sound(stage: Stage) -> None:
    check = stage.operator.check()
    assert (check.ledger_sum_micro, check.differences) == (0, [])


def assert_charged_as_accounted(stage: Stage, tenant: Tenant, done: JobDetailModel) -> None:
    rows = sacct(stage, done.job.centre, "-j", str(done.job.native_id))
    expected = sum(price(int(row[2]), done.job.centre, done.job.queue) for row in rows)
    assert micro(done.job.charged.amount) == expected
    balance = tenant.client.balance(tenant.project)
    assert micro(balance.held.amount) == 0
    assert_sound(stage)


def test_a_job_runs_is_charged_by_the_centres_accounting_and_its_output_comes_back(stage, tenant) -> None:
    accepted = tenant.client.submit(script(tenant, "srun hostname; sleep 2; echo 完成 >&2", ntasks="4", nodes="2"))
    done = ended(stage, tenant, accepted.id)
    assert done.job.state == "completed"
    assert tenant.client.log(accepted.id).decode().count("east-login") == 4
    assert_charged_as_accounted(stage, tenant, done)
    assert micro(done.job.charged.amount) > 0


def test_an_exit_code_a_gpu_and_an_array_come_through(stage, tenant) -> None:
    failing = tenant.client.submit(script(tenant, "exit 3"))
    cards = tenant.client.submit(script(tenant, "echo cards=$CUDA_VISIBLE_DEVICES", partition="gpu", gres="gpu:a100:2"))
    array = tenant.client.submit(script(tenant, "echo task=$SLURM_ARRAY_TASK_ID", array="1-3"))
    done = ended(stage, tenant, failing.id)
    assert (done.job.state, done.job.exit_code) == ("failed", 3)
    ended(stage, tenant, cards.id)
    assert tenant.client.log(cards.id) == b"cards=0,1\n"
    tasks = ended(stage, tenant, array.id)
    assert (tasks.job.state, [task.task_index for task in tasks.tasks]) == ("completed", [1, 2, 3])
    assert tenant.client.log(array.id, task=2) == b"task=2\n"
    assert_sound(stage)


def test_the_same_post_twice_and_at_once_is_one_job(stage, tenant) -> None:
    request, key = script(tenant, "true"), str(uuid4())
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: tenant.client.submit(request, key=key).id, range(8)))
    assert len({*answers, tenant.client.submit(request, key=key).id}) == 1
    done = ended(stage, tenant, answers[0])
    assert len([row for row in sacct(stage, "east") if row[3] == f"pc-{answers[0].hex}"]) == 1
    assert_charged_as_accounted(stage, tenant, done)


def test_a_job_cancelled_while_it_waits_costs_nothing(stage, tenant) -> None:
    accepted = tenant.client.submit(script(tenant, "sleep 60", hold="true"))
    reached(stage, tenant, accepted.id, "queued")
    tenant.client.wish(accepted.id, "cancel")
    done = ended(stage, tenant, accepted.id)
    assert (done.job.state, done.job.charged.amount) == ("cancelled", "0.000000")
    assert_charged_as_accounted(stage, tenant, done)


def test_a_job_cancelled_at_once_after_its_start_is_charged_for_what_ran(stage, tenant) -> None:
    accepted = tenant.client.submit(script(tenant, "sleep 300"))
    reached(stage, tenant, accepted.id, "running")
    tenant.client.wish(accepted.id, "cancel")
    done = ended(stage, tenant, accepted.id)
    assert done.job.state == "cancelled"
    assert_charged_as_accounted(stage, tenant, done)


def test_a_job_started_by_hand_is_billed_all_the_same(stage, tenant) -> None:
    ours = ended(stage, tenant, tenant.client.submit(script(tenant, "whoami")).id)
    account = tenant.client.log(ours.job.id).decode().strip()
    before = micro(tenant.client.balance(tenant.project).available.amount)
    argv = ["sbatch", "--parsable", "-n", "8", "-t", "5", "-p", "cpu", "--wrap", "sleep 3"]
    native = stage.lab.centres["east"].exec(argv, account=account).stdout.strip()

    def is_billed() -> bool:
        rows = [row for row in sacct(stage, "east", "-j", native) if row[1] == "COMPLETED" and row[4]]
        paid = before - micro(tenant.client.balance(tenant.project).available.amount)
        return bool(rows) and paid == price(int(rows[0][2]), "east") > 0

    stage.wait(is_billed, "the bill of a job started by hand", END_SECONDS)
    assert_sound(stage)


def test_workers_killed_with_sigkill_while_they_submit_lose_and_double_nothing(stage, tenant) -> None:
    jobs = [tenant.client.submit(script(tenant, "sleep 1")).id for _ in range(12)]
    for worker in _workers(stage)[:1]:
        os.kill(worker, signal.SIGKILL)
    # The server ends when one of its processes does; whoever supervises it starts it again.
    stage.stop_server()
    stage.resume_server()
    done = [ended(stage, tenant, job) for job in jobs]
    assert {one.job.state for one in done} == {"completed"}
    names = [row[3] for row in sacct(stage, "east")]
    assert [names.count(f"pc-{job.hex}") for job in jobs] == [1] * 12
    for one in done:
        assert_charged_as_accounted(stage, tenant, one)


def test_slurmctld_killed_and_down_for_a_while_loses_nothing_silently(stage, tenant) -> None:
    centre = stage.lab.centres["west"]
    accepted = tenant.client.submit(script(tenant, "sleep 5", centre="west"))
    reached(stage, tenant, accepted.id, "queued", "running")
    centre.kill("slurmctld")
    waiting = tenant.client.submit(script(tenant, "true", centre="west"))
    centre.start("slurmctld")
    first, second = ended(stage, tenant, accepted.id), ended(stage, tenant, waiting.id)
    assert first.job.state in ("completed", "lost", "failed")
    if first.job.state == "lost":
        assert first.job.charged.amount == "0.000000"
    assert second.job.state == "completed"
    assert micro(tenant.client.balance(tenant.project).held.amount) == 0
    assert_sound(stage)


def test_too_little_money_is_refused_and_changes_nothing(stage) -> None:
    poor = stage.tenant(f"poor{os.getpid()}", money="0.01")
    with pytest.raises(ApiError) as refused:
        poor.client.submit(script(poor, "true", ntasks="64", time="1-00:00:00"))
    assert refused.value.code == "not_enough_funds"
    assert "missing" in refused.value.en
    assert "还差" in refused.value.zh
    assert poor.client.jobs().items == []
    assert poor.client.balance(poor.project).available.amount == "0.010000"


def test_tenants_are_apart_in_the_api_and_at_the_centre(stage, tenant) -> None:
    other = stage.tenant(f"other{os.getpid()}")
    mine = ended(stage, tenant, tenant.client.submit(script(tenant, "echo secret; whoami; pwd")).id)
    theirs = ended(stage, other, other.client.submit(script(other, "whoami")).id)
    for ask in (other.client.job, other.client.log, other.client.files):
        with pytest.raises(ApiError) as refused:
            ask(mine.job.id)
        assert refused.value.status == 404
    with pytest.raises(ApiError) as refused:
        other.client.balance(tenant.project)
    assert refused.value.status == 404
    _, account, folder = tenant.client.log(mine.job.id).decode().split()
    stranger = other.client.log(theirs.job.id).decode().strip()
    assert account != stranger
    peek = stage.lab.centres["east"].exec(["ls", folder], account=stranger)
    assert peek.returncode != 0
    assert "Permission denied" in peek.stderr


@pytest.mark.parametrize(
    "name", ['"; touch /tmp/owned; "', "$(touch /tmp/owned)", "`touch /tmp/owned`", "a|b&c", "中文 作业 'x'"]
)
def test_nothing_that_a_user_types_reaches_a_shell(stage, tenant, name: str) -> None:
    request = script(tenant, 'printf %s "$SLURM_JOB_NAME"', **{"job-name": name})
    accepted = tenant.client.submit(request.model_copy(update={"environment": {"HOSTILE": name}}))
    done = ended(stage, tenant, accepted.id)
    assert (done.job.state, tenant.client.log(accepted.id).decode()) == ("completed", name)
    assert stage.lab.centres["east"].exec(["test", "-e", "/tmp/owned"]).returncode != 0
    assert not Path("/tmp/owned").exists()


def _workers(stage: Stage) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(stage.server_pid)], capture_output=True, text=True, check=True).stdout
    pids = []
    for pid in map(int, found.split()):
        with suppress(FileNotFoundError):
            if b"\0worker" in Path(f"/proc/{pid}/cmdline").read_bytes():
                pids.append(pid)
    return pids
