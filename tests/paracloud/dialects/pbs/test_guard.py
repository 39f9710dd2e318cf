import random
from dataclasses import replace

import pytest
from tests.paracloud.dialects.pbs.stand_in import PbsStandIn
from tests.paracloud.dialects.slurm.stand_in import request

from paracloud.dialects.fence import MOVED
from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Refused, Unreachable

REFUSALS = [
    "qsub: Unknown queue",
    "qsub: Job violates queue and/or server resource limits",
    "qsub: Illegal attribute or resource value Resource_List.walltime",
    "qsub: Unknown resource: Resource_List.ngpu",
    "qsub: Unauthorized Request ",
    "qsub: Access to queue is denied",
    "qsub: directive error: -l select=1:ncpus=a",
    "qsub: submit error (Unknown queue MSG=cannot locate queue)",
    "qsub: submit error (Job exceeds queue resource limits MSG=cannot satisfy queue max walltime requirement)",
    "qsub: submit error (Bad UID for job execution MSG=User alice does not exist in server password file)",
    "qsub: illegal -N value",
]
DOUBTS = [
    "Connection refused\nqsub: cannot connect to server pbs1 (errno=15010)",
    "qsub: Maximum number of jobs already in queue workq",
    "qsub: would exceed queue workq's per-user limit",
    "qsub: Request not allowed: Server shutting down",
    "qsub: submit error (Time out)",
    "qsub: submit error (Server busy. Not available threads)",
    "pbs_iff: error returned: 15010\nqsub: Invalid credential",
    "Unable to communicate with pbs1(10.0.0.1)\nqsub: cannot connect to server pbs1 (errno=15137)",
    "qsub: Batch protocol error",
    "qsub: PBS server internal error",
    "qsub: a sentence of next year's release",
    "Killed",
]


@pytest.fixture
def centre(tmp_path):
    return PbsStandIn(tmp_path)


def submit(*requests, make=openpbs):
    dialect = make()
    return dialect.submit({one.tag: dialect.script(one) for one in requests})


@pytest.mark.parametrize("make", [openpbs, torque])
def test_a_batch_is_submitted_and_its_repetition_only_answers(centre, make):
    jobs = [request() for _ in range(5)] + [request(array="0-9")]
    first = centre.ask(submit(*jobs, make=make))
    plain = {answer.removesuffix("[]") for answer in first.values()}
    assert sorted(plain) == [str(number) for number in range(41000, 41006)]
    assert first[jobs[-1].tag].endswith("[]")
    assert centre.ask(submit(*jobs, make=make)) == first
    assert (len(centre.jobs()), centre.count("calls"), centre.count("qselect.calls")) == (6, 6, 0)


def test_forty_guards_at_once_submit_one_job(centre):
    command = submit(request())
    guards = [centre.start(command) for _ in range(40)]
    answers = [command.parse(Completed(0, *guard.communicate(timeout=60))) for guard in guards]
    assert len(centre.jobs()) == 1
    assert {str(answer) for one in answers for answer in one.values()} == {"41000"}


@pytest.mark.parametrize("make", [openpbs, torque])
def test_a_guard_that_is_killed_anywhere_and_repeated_submits_one_job(centre, make):
    chance = random.Random(7)
    for number in range(8):
        job = request()
        for _ in range(chance.randint(1, 3)):
            centre.kill(submit(job, make=make), chance.uniform(0, 0.25))
        answer = centre.ask(submit(job, make=make))[job.tag]
        assert centre.jobs()[number:] == [f"{answer}.east pc-{job.tag}"]


def test_an_answer_that_was_lost_is_found_by_name_among_ended_jobs_too(centre):
    command = submit(request())
    centre.set("mode", "lost")
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    centre.set("mode")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1
    assert (centre.folder / "qselect.calls").read_text().startswith("-x -u ")


def test_a_server_that_remembers_no_ended_jobs_is_asked_for_the_others(centre):
    command = submit(request())
    centre.set("mode", "lost")
    centre.ask(command)
    centre.set("mode")
    centre.set("qselect.forgets")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


@pytest.mark.parametrize(("marker", "array", "id_"), [("run", None, "41007"), ("run.3", "0-9", "41007[]")])
def test_what_pbs_has_forgotten_is_known_by_the_jobs_own_marker(centre, marker, array, id_):
    job = request(array=array)
    folder = centre.home / ".paracloud/jobs" / job.tag
    folder.mkdir(parents=True)
    (folder / marker).symlink_to("41007" if array is None else "410070000003")
    centre.set("qselect.empty")
    assert centre.ask(submit(job)) == {job.tag: id_}
    assert centre.count("calls") == 0


def test_a_marker_that_was_taken_on_the_jobs_behalf_names_no_job(centre):
    job = request()
    folder = centre.home / ".paracloud/jobs" / job.tag
    folder.mkdir(parents=True)
    (folder / "run").symlink_to(MOVED)
    assert centre.ask(submit(job)) == {job.tag: "41000"}


def test_an_array_whose_tasks_torque_calls_by_names_of_their_own_is_found(centre):
    job = request(array="4-9")
    command = submit(job, make=torque)
    centre.set("mode", "lost")
    centre.ask(command)
    centre.set("mode")
    centre.set("jobs", f"41000[4].east pc-{job.tag}-4\n")
    assert centre.ask(command) == {job.tag: "41000[]"}


def test_nothing_is_submitted_while_a_look_up_is_without_answer(centre):
    command = submit(request())
    centre.set("mode", "lost")
    centre.ask(command)
    centre.set("mode")
    centre.set("qselect.silent")
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    assert len(centre.jobs()) == 1


def test_after_a_failure_that_left_nothing_the_job_is_submitted(centre):
    command = submit(request())
    centre.set("mode", DOUBTS[0])
    centre.ask(command)
    centre.set("mode")
    assert list(centre.ask(command).values()) == ["41000"]


@pytest.mark.parametrize("said", REFUSALS)
def test_a_definite_refusal_is_kept_and_never_tried_again(centre, said):
    command = submit(request())
    centre.set("mode", said)
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Refused)
    assert said.rpartition(": ")[2].strip() in answer.en
    centre.set("mode")
    (again,) = centre.ask(command).values()
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


def test_a_refused_queue_is_named_as_the_field_at_fault(centre):
    centre.set("mode", REFUSALS[0])
    (answer,) = centre.ask(submit(request())).values()
    assert answer.field == "queue"


def test_what_start_up_files_set_does_not_matter(centre):
    noise = centre.folder / "noise"
    noise.write_text("unset BASH_ENV; echo Welcome; export PBS_DPREFIX=#NO PBS_O_WORKDIR=/\n")
    job = request()
    assert centre.ask(submit(job), BASH_ENV=str(noise)) == {job.tag: "41000"}
    assert (centre.folder / "environment").read_text() == "\n"


def test_the_folders_that_outputs_go_to_are_made_before_the_job_starts(centre):
    job = request(output="logs/out put/%j.out", error="logs/%j.err", work_directory="it's $(touch pwned) 中文")
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    place = centre.home / job.work_directory
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == ["logs", "logs/out put"]
    assert not list(centre.folder.rglob("pwned"))


def test_find_asks_for_each_tag_and_takes_the_first_of_two(centre):
    tags = [f"{number:032x}" for number in (1, 2, 3)]
    centre.set("jobs", f"41009.east pc-{tags[0]}\n41007.east pc-{tags[0]}\n41010[].east pc-{tags[1]}\n")
    assert openpbs().find(tags, None).cost == 3
    assert centre.ask(openpbs().find(tags, None)) == {tags[0]: "41007", tags[1]: "41010[]"}
    centre.set("qselect.silent")
    with pytest.raises(Unreachable):
        centre.ask(openpbs().find(tags, None))


def test_an_answer_to_find_that_was_cut_is_broken():
    command = openpbs(lambda: "PCN").find(["0" * 32], None)
    whole = b"PCN " + b"0" * 32 + b" 7.east\nPCN end\n"
    assert command.parse(Completed(0, whole, b"")) == {"0" * 32: "7"}
    for cut in range(2, len(whole)):
        with pytest.raises(Broken):
            command.parse(Completed(0, whole[:-cut], b""))


def test_a_request_that_was_cut_on_the_way_submits_only_its_whole_lines(centre):
    jobs = [request() for _ in range(2)]
    command = submit(*jobs)
    answers = centre.ask(replace(command, stdin=command.stdin[:-30]))
    assert answers[jobs[0].tag] == "41000"
    assert isinstance(answers[jobs[1].tag], Unreachable)
