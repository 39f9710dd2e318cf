"""Whole stories on real centres. Each is judged by the centre's own sacct and by the ledger, not by our job table."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest
from tests.story.acts import (
    END_SECONDS,
    assert_charged_as_accounted,
    assert_sound,
    ended,
    micro,
    price,
    reached,
    sacct,
    script,
)

from paracloud.client.errors import ApiError


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
