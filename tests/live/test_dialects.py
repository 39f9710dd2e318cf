"""What every dialect must do on a real scheduler: what it writes is understood there, and what it reads is what
happened."""

import random
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from tests.live.logins import HOSTILE, Login, until

from paracloud.dialects.records import NativePhase
from paracloud.dialects.task_numbers import job_number
from paracloud.kit.errors import Forbidden, NotFound, Refused, Unreachable
from paralab.running import RunningLab

pytestmark = pytest.mark.live


@pytest.fixture
def headless(lab: RunningLab, scheduler: type[Login]) -> Iterator[Login]:
    """At a centre whose controller has ended."""
    login = scheduler.of(lab, scheduler.FALLS)
    login.centre.kill(login.CONTROLLER, hard=False)
    try:
        yield login
    finally:
        if not login.answers():
            login.centre.start(login.CONTROLLER)
        until(login.answers, login.CONTROLLER)


def test_forty_guards_at_once_submit_one_job(login):
    job = login.request(hold=True)
    with ThreadPoolExecutor(40) as pool:
        answers = {one[job.tag] for one in pool.map(lambda _: login.submit(job), range(40))}
    assert list(answers) == login.jobs_named(job.tag)


def test_guards_that_are_killed_at_random_and_repeated_submit_each_job_once(login):
    chance = random.Random(2205)
    for _ in range(20):
        job = login.request(hold=True)
        for _ in range(chance.randint(1, 3)):
            command = login.dialect.submit({job.tag: login.dialect.script(job)})
            login.run(command, "timeout", "-s", "KILL", f"{chance.uniform(0.005, login.GUARD_SECONDS):.3f}")
        native_id = login.submitted(job)
        assert login.jobs_named(job.tag) == [native_id]
        login.ask(login.dialect.cancel([native_id]))


def test_a_job_that_has_ended_is_found_and_not_submitted_again(login):
    job = login.request()
    native_id = login.submitted(job)
    login.ended(native_id)
    login.centre.exec(["rm", f"/home/{login.account}/.paracloud/jobs/{job.tag}/id"])
    assert login.submit(job) == {job.tag: native_id}
    other = uuid4().hex
    assert login.ask(login.dialect.find([job.tag, other], datetime.now(UTC))) == {job.tag: native_id}


def test_duplicates_that_were_forced_past_the_guard_run_the_payload_once(login):
    job = login.request()
    client = [*login.CLIENT, f".paracloud/jobs/{job.tag}/script"]
    ids = [login.submitted(job)]
    ids += [login.centre.exec(client, account=login.account).stdout.strip() for _ in range(3)]
    assert [login.ended(one)[0].phase for one in ids] == [NativePhase.COMPLETED] * 4
    assert len([line for line in login.output(job) if line.startswith("ran in ")]) == 1
    assert len([line for line in login.output(job) if "is a duplicate" in line]) == 3


def test_hostile_values_arrive_in_the_job_as_they_were_written(login):
    job = login.request(
        name=HOSTILE,
        work_directory=f'paracloud/{uuid4().hex} it\'s "q" $(touch pwned) #',
        output='a "b" #\' $(touch pwned).txt',
        environment={"A": HOSTILE + "\nmore"},
        extra={"comment": HOSTILE},
        script='#!/bin/bash\nprintf "%s\\n" "$SLURM_JOB_NAME" "$A" "$PWD"\n',
    )
    (record,) = login.ended(login.submitted(job))
    assert (record.phase, record.exit_code, record.tag) == (NativePhase.COMPLETED, 0, job.tag)
    place = f"/home/{login.account}/{job.work_directory}"
    assert login.read(f"{place}/{job.output}").splitlines() == [HOSTILE, HOSTILE, "more", place]
    assert login.centre.exec(["find", "/home", "/tmp", "-name", "pwned"]).stdout == ""


@pytest.mark.parametrize(("array", "tasks"), [("0-4:2%2", (0, 2, 4)), ("2-6:2%2", (2, 4, 6))])
def test_an_array_runs_each_task_in_the_users_own_interpreter(login, array, tasks):
    text = "#!/usr/bin/env python3\nimport os\nprint('task', os.environ['SLURM_ARRAY_TASK_ID'])\n"
    job = login.request(array=array, script=text, output="%x.%A_%a.%3a.%j", name="sweep")
    native_id = login.submitted(job)
    records = login.ended(native_id, 3)
    assert {(one.task_index, one.native_id) for one in records} == {(at, native_id) for at in tasks}
    assert len({one.record_id for one in records}) == 3
    numbers = {one.task_index: job_number(one.record_id) for one in records}
    names = {at: f"sweep.{native_id}_{at}.{at:03d}.{numbers[at]}" for at in tasks}
    assert [login.read(f"{job.work_directory}/{names[at]}") for at in tasks] == [f"task {at}\n" for at in tasks]


def test_usage_on_gpus_is_what_was_asked_for(login):
    script = "#!/bin/bash\nsleep 1; exit 3\n"
    job = login.request(queue="gpu", tasks=3, gpus_per_node=2, gpu_model="a100", script=script)
    (record,) = login.ended(login.submitted(job))
    assert (record.phase, record.exit_code, record.cores, record.gpus) == (NativePhase.FAILED, 3, 3, 2)
    assert record.elapsed_seconds == (record.ended_at - record.started_at).seconds >= 1


def test_a_window_of_accounting_holds_the_job_with_its_end_open(login):
    (record,) = login.ended(login.submitted(login.request()))
    second = timedelta(seconds=1)

    def window(start, end):
        found = login.ask(login.dialect.account(start, end, [login.account]))
        return [one.record_id for one in found if one.record_id == record.record_id]

    assert window(record.ended_at, record.ended_at + second) == [record.record_id]
    assert window(record.ended_at - timedelta(hours=1), record.ended_at) == []
    assert window(record.ended_at + second, datetime.now(UTC) + timedelta(hours=1)) == []


def test_hold_release_and_cancel_are_seen_in_the_listing(login):
    job = login.request(hold=True)
    native_id = login.submitted(job)
    assert [(one.phase, one.tag) for one in login.seen(native_id)] == [(NativePhase.HELD, job.tag)]
    login.ask(login.dialect.release(native_id))
    login.ended(native_id)
    login.ask(login.dialect.cancel([native_id]))
    with pytest.raises(NotFound):
        login.ask(login.dialect.hold(login.NOBODYS))


def test_a_job_cancelled_while_held_is_found_by_its_id_with_no_usage(login):
    native_id = login.submitted(login.request(hold=True))
    login.ask(login.dialect.cancel([native_id, native_id, login.NOBODYS]))
    (record,) = login.ended(native_id)
    assert (record.phase, record.core_seconds, record.started_at) == (NativePhase.CANCELLED, 0, None)


def test_another_account_cannot_cancel_the_job(login):
    native_id = login.submitted(login.request(hold=True))
    other = login.another(login.centre.pool[1])
    with pytest.raises(Forbidden):
        other.ask(other.dialect.cancel([native_id]))


@pytest.mark.parametrize("changes", [{"queue": "nope"}, {"wall_limit": timedelta(days=30)}], ids=["queue", "time"])
def test_what_the_scheduler_refuses_is_refused_for_good(login, changes):
    job = login.request(**changes)
    answers = [login.submit(job)[job.tag] for _ in range(2)]
    assert [type(answer) for answer in answers] == [Refused, Refused]
    assert login.jobs_named(job.tag) == []


def test_queues_nodes_and_version_are_those_of_the_lab(login):
    plan = login.centre.site.centre
    queues = {one.name: one for one in login.ask(login.dialect.queues())}
    shown = {name: (one.is_default, one.gpus_per_node, one.gpu_model) for name, one in queues.items()}
    assert shown == {one.name: (one.is_default, one.gpus, one.gpu_model or None) for one in plan.partitions}
    assert len(login.ask(login.dialect.nodes())) == sum(one.nodes for one in queues.values())
    assert login.ask(login.dialect.ping()).startswith(login.VERSION)


def test_the_service_account_sees_every_tenant(login):
    job, held = login.request(), login.request(hold=True)
    login.submitted(held)
    login.ended(login.submitted(job))
    service = login.another(login.centre.service_account)
    accounts = list(login.centre.pool)
    assert held.tag in {one.tag for one in service.ask(service.dialect.observe(accounts))}
    now = datetime.now(UTC)
    window = service.dialect.account(now - timedelta(hours=1), now + timedelta(seconds=5), accounts)
    assert job.tag in {one.tag for one in service.ask(window)}


def test_without_its_controller_a_centre_is_unreachable_and_nothing_is_lost(headless):
    login, job = headless, headless.request()
    asked = (login.dialect.ping(), login.dialect.observe([login.account]), login.dialect.cancel(["1"]))
    asked += (login.dialect.hold("1"), login.dialect.queues())
    # Slurm's own commands give up only after a while: all of them at once.
    with ThreadPoolExecutor() as pool:
        submission = pool.submit(login.submit, job)
        answers = list(pool.map(login.run, asked))
    assert isinstance(submission.result()[job.tag], Unreachable)
    for command, answer in zip(asked, answers, strict=True):
        with pytest.raises(Unreachable):
            command.parse(answer)
    with suppress(Unreachable):
        assert login.ask(login.dialect.signal(["1"], "USR1")) == frozenset()
    login.centre.start(login.CONTROLLER)
    until(login.answers, login.CONTROLLER)
    assert login.jobs_named(job.tag) == []
    native_id = login.submitted_in_the_end(job)
    assert login.jobs_named(job.tag) == [native_id] or login.ended(native_id)
