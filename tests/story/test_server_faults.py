"""Our own side fails: workers die and freeze, the database restarts. Judged by the centre's sacct and by the ledger."""

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID, uuid4

import psutil
from demo.stage import Stage, Tenant
from tests.story.acts import (
    END_SECONDS,
    assert_charged_as_accounted,
    ended,
    log_lines,
    names_at,
    queued_at,
    script,
    sql,
    workers,
)
from tests.story.gate import closed_gate

from paracloud.client.errors import ApiError

HOLDER = "SELECT holder, fence FROM centre_leases WHERE centre = $1 AND expires_at > clock_timestamp()"


def assert_each_ran_once(stage: Stage, tenant: Tenant, jobs: list[UUID], centre: str = "east") -> None:
    done = [ended(stage, tenant, job) for job in jobs]
    assert {one.job.state for one in done} == {"completed"}
    names = names_at(stage, centre)
    assert [names.count(f"pc-{job.hex}") for job in jobs] == [1] * len(jobs)
    for one in done:
        assert_charged_as_accounted(stage, tenant, one)


def tending(stage: Stage, centre: str) -> tuple[int, int]:
    """Process id and fence of the worker that tends the centre."""
    held: list[Any] = []

    def is_tended() -> bool:
        held[:] = sql(stage, HOLDER, centre)
        return bool(held)

    stage.wait(is_tended, f"a worker for {centre}")
    holder, fence = held[0]
    pid = int(holder.split("-")[-2])
    assert pid in workers(stage)
    return pid, fence


def test_a_worker_killed_between_the_centres_acceptance_and_our_commit_doubles_nothing(stage, tenant) -> None:
    with closed_gate(stage, tenant.project) as gate:
        jobs = [tenant.client.submit(script(tenant, "sleep 1")).id for _ in range(3)]
        stage.wait(gate.has_caught, "the commit of native ids")
        accepted = set(queued_at(stage, "east"))
        os.kill(tending(stage, "east")[0], signal.SIGKILL)
    assert accepted & {f"pc-{job.hex}" for job in jobs}
    assert_each_ran_once(stage, tenant, jobs)


def test_all_workers_killed_while_they_submit_lose_and_double_nothing(stage, tenant) -> None:
    jobs = [tenant.client.submit(script(tenant, "true")).id for _ in range(12)]
    for worker in workers(stage):
        os.kill(worker, signal.SIGKILL)
    assert_each_ran_once(stage, tenant, jobs)


def test_a_worker_frozen_inside_its_commit_is_overtaken_and_cannot_write_any_more(stage, tenant) -> None:
    worker, fence = tending(stage, "east")
    lost = len(log_lines(stage, "centre.lease_lost"))
    try:
        with closed_gate(stage, tenant.project) as gate:
            job = tenant.client.submit(script(tenant, "sleep 1")).id
            stage.wait(gate.has_caught, "the commit of native ids")
            os.kill(worker, signal.SIGSTOP)
        assert_each_ran_once(stage, tenant, [job])
        other, next_fence = tending(stage, "east")
        assert other != worker
        assert next_fence > fence
    finally:
        os.kill(worker, signal.SIGCONT)
    stage.wait(lambda: len(log_lines(stage, "centre.lease_lost")) > lost, "the frozen worker to give up")
    assert_each_ran_once(stage, tenant, [job])


def test_a_worker_frozen_while_the_centre_answers_is_fenced_off_when_it_wakes(stage, tenant) -> None:
    worker, _ = tending(stage, "east")
    os.kill(worker, signal.SIGSTOP)
    try:
        # It wakes to a whole batch, and freezes again in the middle of it.
        jobs = [tenant.client.submit(script(tenant, "true")).id for _ in range(24)]
        names = {f"pc-{job.hex}" for job in jobs}
        os.kill(worker, signal.SIGCONT)
        stage.wait(lambda: not names.isdisjoint(queued_at(stage, "east")), "the first job at the centre")
        os.kill(worker, signal.SIGSTOP)
        stage.wait(lambda: tending(stage, "east")[0] != worker, "another worker")
    finally:
        os.kill(worker, signal.SIGCONT)
    assert_each_ran_once(stage, tenant, jobs)


def test_postgresql_restarted_under_load_loses_no_accepted_job(stage, tenant) -> None:
    database = stage.folder / "state/postgres/data/postmaster.pid"
    first = int(database.read_text().split()[0])
    keys = [str(uuid4()) for _ in range(60)]
    request = script(tenant, "true")

    def submit(key: str) -> UUID:
        deadline = time.monotonic() + END_SECONDS
        while True:
            try:
                return tenant.client.submit(request, key=key).id
            except ApiError as error:
                if error.status not in (0, 503) or time.monotonic() > deadline:
                    raise
                time.sleep(0.1)

    with ThreadPoolExecutor(4) as pool:
        answers = [pool.submit(submit, key) for key in keys]
        stage.wait(lambda: sum(answer.done() for answer in answers) >= 10, "some load")
        psutil.Process(first).send_signal(signal.SIGQUIT)  # no goodbye: it recovers from its log
        jobs = [answer.result() for answer in answers]
    assert int(database.read_text().split()[0]) != first
    assert len(set(jobs)) == len(keys)
    assert [submit(key) for key in keys] == jobs
    assert sql(stage, "SELECT count(*) FROM jobs WHERE project_id = $1", tenant.project)[0][0] == len(keys)
    assert_each_ran_once(stage, tenant, jobs)
