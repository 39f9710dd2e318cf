import getpass
import random
from datetime import UTC, datetime

import pytest
from tests.paracloud.dialects.gridengine.golden import NONCE, dialect, recorded
from tests.paracloud.dialects.gridengine.stand_in import GridStandIn, batch, request

from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Refused, Unreachable

START = datetime(2026, 11, 26, tzinfo=UTC)
RUN = "Unable to run job: "
REFUSALS = [
    RUN + 'Job was rejected because job requests unknown queue "nope"',
    RUN + 'unknown resource "nope"',
    RUN + 'job rejected: the requested parallel environment "nope" does not exist',
    RUN + "error: no suitable queues",
    RUN + "Colon (':') not allowed in objectname",
    'qsub: Unknown option "-frobnicate"',
]
DOUBTS = [
    "error: commlib error: got select error (Connection refused)",
    RUN + "unable to contact qmaster using port 6444 on host vm",
    RUN + "Error reading answer list from qmaster",
    RUN + "job rejected: only 5 jobs are allowed per user (current job count: 5)",
    RUN + "a sentence of next year's release",
    "Killed",
]


@pytest.fixture
def centre(tmp_path):
    return GridStandIn(tmp_path)


def submit(*requests):
    return GridEngineDialect().submit(batch(*requests))


def test_a_batch_is_submitted_and_its_repetition_only_answers(centre):
    jobs = [request() for _ in range(9)]
    first = centre.ask(submit(*jobs))
    assert sorted(first.values()) == [str(number) for number in range(41000, 41009)]
    assert centre.ask(submit(*jobs)) == first
    assert (len(centre.jobs()), len(centre.calls()), centre.count("qstat.calls")) == (9, 9, 0)


def test_twenty_guards_at_once_submit_one_job(centre):
    command = submit(request())
    guards = [centre.start(command) for _ in range(20)]
    answers = [command.parse(Completed(0, *guard.communicate(timeout=60))) for guard in guards]
    assert len(centre.jobs()) == 1
    assert {str(answer) for one in answers for answer in one.values()} == {"41000"}


def test_a_guard_that_is_killed_anywhere_and_repeated_submits_one_job(centre):
    chance = random.Random(7)
    for number in range(10):
        job = request()
        for _ in range(chance.randint(1, 3)):
            centre.kill(submit(job), chance.uniform(0, 0.25))
        answer = centre.ask(submit(job))[job.tag]
        assert centre.jobs()[number:] == [f"{answer} pc-{job.tag}"]


def test_the_answer_for_an_array_is_the_jobs_number(centre):
    job = request(array="0-8:2")
    centre.set("mode", "array")
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    assert centre.ask(submit(job)) == {job.tag: "41000"}


def test_an_answer_that_was_lost_is_found_in_the_listing(centre):
    command = submit(request())
    centre.set("mode", "lost")
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    centre.set("mode")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


def test_a_lost_answer_is_found_in_accounting_once_the_listing_has_forgotten_it(centre):
    job = request()
    centre.set("mode", "lost")
    centre.ask(submit(job))
    centre.set("mode")
    centre.set("qstat.empty")
    (centre.common / "accounting").write_text(f"cpu:n1:g:{getpass.getuser()}:pc-{job.tag}:41000:sge:0\n")
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    assert len(centre.jobs()) == 1


@pytest.mark.parametrize(("link", "target"), [("run", "41000"), ("run.0", "410000000001")])
def test_a_job_that_started_is_found_where_neither_listing_nor_accounting_has_it(centre, link, target):
    job = request()
    centre.set("mode", "lost")
    centre.ask(submit(job))
    centre.set("mode")
    centre.set("qstat.empty")
    (centre.home / ".paracloud/jobs" / job.tag / link).symlink_to(target)
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    assert len(centre.jobs()) == 1


def test_a_marker_that_was_taken_on_the_jobs_behalf_is_no_job_and_no_doubt(centre):
    job = request()
    centre.set("mode", DOUBTS[0])
    centre.ask(submit(job))
    (centre.home / ".paracloud/jobs" / job.tag / "run").symlink_to("moved")
    centre.set("mode")
    assert centre.ask(submit(job)) == {job.tag: "41000"}


def test_nothing_is_submitted_while_a_look_up_is_without_answer(centre):
    command = submit(request())
    centre.set("mode", "lost")
    centre.ask(command)
    centre.set("mode")
    centre.set("qstat.silent")
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    assert len(centre.jobs()) == 1


@pytest.mark.parametrize("said", REFUSALS)
def test_a_definite_refusal_is_kept_and_never_tried_again(centre, said):
    command = submit(request())
    centre.set("mode", said)
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Refused)
    centre.set("mode")
    (again,) = centre.ask(command).values()
    assert isinstance(again, Refused)
    assert (again.en, centre.jobs()) == (answer.en, [])


@pytest.mark.parametrize("said", DOUBTS)
def test_what_is_no_definite_refusal_is_asked_again(centre, said):
    centre.set("mode", said)
    (answer,) = centre.ask(submit(request())).values()
    assert isinstance(answer, Unreachable)


def test_a_refusal_does_not_hide_an_earlier_try_that_arrived_late(centre):
    command = submit(request())
    centre.set("mode", DOUBTS[0])
    centre.ask(command)
    centre.set("mode", "late" + REFUSALS[0])
    assert list(centre.ask(command).values()) == ["41000"]


def test_directives_in_the_users_text_are_not_taken(centre):
    centre.ask(submit(request(script="#!/bin/bash\n#$ -pe mpi 1000\n#$ -N other\n")))
    (call,) = centre.calls()
    assert "1000" not in call
    assert call.startswith("-terse -C  -N pc-")


@pytest.mark.parametrize(
    ("changes", "environment"),
    [
        ({"cores_per_task": 3}, "threads 3"),
        ({"tasks": 3, "nodes": 1}, "threads 3"),
        ({"tasks": 8, "nodes": 2}, "by-four 8"),
        ({"tasks": 4, "cores_per_task": 2, "tasks_per_node": 2}, "by-four 8"),
        ({"tasks": 5}, "spread 5"),
    ],
)
def test_the_parallel_environment_is_the_one_that_spreads_so_whatever_its_name(centre, changes, environment):
    centre.ask(submit(request(**changes)))
    assert f"-pe {environment} " in centre.calls()[0]


def test_parallel_environments_are_asked_for_once_in_a_while_and_not_for_each_job(centre):
    centre.ask(submit(*[request(tasks=5) for _ in range(4)]))
    centre.ask(submit(request(cores_per_task=5)))
    asked = centre.count("qconf.calls")
    assert asked == 6
    assert submit(request(tasks=5), request(tasks=2), request()).cost >= 3 + asked


def test_of_many_parallel_environments_no_more_are_asked_for_than_the_budget_knows(centre):
    many = "pe_list " + " ".join(f"no{number}" for number in range(40))
    (centre.folder / "bin/qconf").write_text(f'#!/bin/bash\necho >>"$STAND_IN/qconf.calls"\necho "{many}"\n')
    command = submit(request(tasks=5))
    centre.ask(command)
    assert centre.count("qconf.calls") == command.cost - 1 == 12


def test_environments_that_cannot_all_be_asked_for_are_asked_for_once_in_a_batch(centre):
    many = "pe_list " + " ".join(f"no{number}" for number in range(40))
    (centre.folder / "bin/qconf").write_text(
        f'#!/bin/bash\necho >>"$STAND_IN/qconf.calls"\necho "{many}"\n'
        '[ "$(wc -l <"$STAND_IN/qconf.calls")" -lt 10 ] || { echo "error: unable to contact qmaster" >&2; exit 1; }\n'
    )
    command = submit(*[request(tasks=5) for _ in range(8)])
    answers = centre.ask(command).values()
    assert all(isinstance(answer, Unreachable) for answer in answers)
    assert (centre.count("qconf.calls"), centre.count("calls")) == (10, 0)
    assert command.cost == 8 + 12


def test_a_try_after_others_costs_what_it_looks_up_before_and_after(centre):
    centre.set("mode", "lost")
    job = request(tasks=5)
    centre.ask(submit(job))
    centre.set("qstat.empty")
    centre.set("mode", "late" + REFUSALS[0])
    again = GridEngineDialect().submit(batch(job), [job.tag])
    before = len(centre.calls()) + centre.count("qstat.calls")
    centre.ask(again)
    ran = len(centre.calls()) + centre.count("qstat.calls") - before
    assert (ran, again.cost) == (3, 3 + 12)
    assert again.cost == GridEngineDialect().commands_least


def test_a_spread_that_no_environment_has_is_refused_by_name(centre):
    (answer,) = centre.ask(submit(request(tasks=6, nodes=2))).values()
    assert isinstance(answer, Refused)
    assert (answer.field, "rule 3" in answer.en) == ("nodes", True)


def test_an_environment_that_cannot_be_asked_for_is_asked_again(centre):
    centre.set("qconf.silent")
    command = submit(request(tasks=5))
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    (centre.folder / "qconf.silent").unlink()
    assert list(centre.ask(command).values()) == ["41000"]


def test_hostile_values_reach_the_script_as_text(centre):
    text = 'it\'s "q" $(touch pwned) `touch pwned` | ; & 中文'
    job = request(name=text, work_directory=text, script="#!/bin/bash\n" + text, output=f"{text}/x")
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    assert (centre.home / text / text).is_dir()
    assert not list(centre.folder.rglob("pwned"))


def test_recorded_answers_are_an_id_and_a_refusal():
    jobs = [request(tag=f"{number:032x}") for number in (15, 16)]
    accepted, refused = dialect().submit(batch(*jobs)).parse(recorded("qsub")).values()
    assert accepted == "5250015"
    assert isinstance(refused, Refused)
    assert refused.field == "queue"


def test_find_reads_listing_and_accounting_and_takes_the_first_of_two():
    tags = [f"{number:032x}" for number in (1, 2, 3)]
    rows = [f"41007 pc-{tags[0]}", "end", f"41003 pc-{tags[0]}", f"41009 pc-{tags[1]}", "8 evil name", "end"]
    command = dialect().find(tags, START)
    whole = "".join(f"{NONCE} {row}\n" for row in rows)
    assert command.parse(Completed(0, whole.encode(), b"")) == {tags[0]: "41003", tags[1]: "41009"}
    with pytest.raises(Broken):
        command.parse(Completed(0, whole.rpartition(NONCE)[0].encode(), b""))
    assert dialect().find(["f".zfill(32)], START).parse(recorded("find")) == {"f".zfill(32): "5250015"}
