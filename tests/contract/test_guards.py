"""What every guard must do, whatever its scheduler: a tag is submitted at most once, whoever dies, and a doubt is never
taken for an answer."""

import os
import random
import stat
from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from tests.contract.guarded import GUARDED, Guarded
from tests.paracloud.dialects.stand_in import request

from paracloud.dialects.fence import MOVED
from paracloud.dialects.guard import PATIENCE_SECONDS, TAGS_AT_A_TIME
from paracloud.kit.errors import Refused, Unreachable


@pytest.fixture(params=GUARDED, ids=lambda one: one.name)
def guarded(request):
    return request.param


@pytest.fixture
def centre(guarded, tmp_path):
    return guarded.open(tmp_path)


def each(name: str, of: Callable[[Guarded], Iterable[object]]) -> pytest.MarkDecorator:
    """Of every scheduler everything that it has of one kind."""
    pairs = [pytest.param(one, value, id=f"{one.name}-{at}") for one in GUARDED for at, value in enumerate(of(one))]
    return pytest.mark.parametrize(("guarded", name), pairs, indirect=["guarded"])


that_remembers = pytest.mark.parametrize(
    "guarded", [one for one in GUARDED if one.remembers], ids=lambda one: one.name, indirect=True
)


def numbers(answers):
    """Of PBS an array's id ends in brackets."""
    return [answer.removesuffix("[]") if isinstance(answer, str) else answer for answer in answers.values()]


def test_a_batch_is_submitted_and_its_repetition_only_answers(centre):
    jobs = [request() for _ in range(8)] + [request(array="0-8:2")]
    first = centre.ask(centre.submission(*jobs))
    assert sorted(numbers(first)) == [str(number) for number in range(41000, 41009)]
    assert centre.ask(centre.submission(*jobs)) == first
    assert (len(centre.jobs()), centre.count("calls"), centre.count(f"{centre.LISTING}.calls")) == (9, 9, 0)


def test_forty_guards_at_once_submit_one_job(centre):
    answers = centre.ask_all_at_once(centre.submission(request()), 40)
    assert len(centre.jobs()) == 1
    assert {str(answer) for one in answers for answer in one.values()} == {"41000"}


def test_a_guard_that_is_killed_anywhere_and_repeated_submits_one_job(centre):
    chance = random.Random(7)
    for number in range(10):
        job = request()
        for _ in range(chance.randint(1, 3)):
            centre.kill(centre.submission(job), chance.uniform(0, 0.25))
        answer = centre.ask(centre.submission(job))[job.tag]
        assert centre.jobs()[number:] == [f"{answer}{centre.SUFFIX} pc-{job.tag}"]


def test_an_answer_that_was_lost_is_found_by_name(centre):
    command = centre.submission(request())
    (answer,) = centre.lose(command).values()
    assert isinstance(answer, Unreachable)
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


@each("silence", lambda one: one.silences)
def test_nothing_is_submitted_while_a_look_up_is_without_answer(centre, silence):
    command = centre.submission(request())
    centre.lose(command)
    for name in silence:
        centre.set(name)
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    assert len(centre.jobs()) == 1


def test_guards_that_came_together_look_up_what_the_first_one_left_in_doubt(centre):
    centre.set("mode", "lost")
    # All of them find no folder, and only then one of them makes it.
    slow = centre.folder / "bin/mkdir"
    slow.write_text('#!/bin/sh\nsleep 0.5; exec /bin/mkdir "$@"\n')
    slow.chmod(0o755)
    answers = centre.ask_all_at_once(centre.submission(request()), 4)
    assert len(centre.jobs()) == 1
    assert "41000" in [answer for one in answers for answer in one.values()]


def test_a_folder_that_is_all_that_a_crash_left_is_looked_up(centre):
    job = request()
    centre.folder_of(job).mkdir(parents=True)
    centre.set("jobs", f"41007{centre.SUFFIX} pc-{job.tag}\n")
    assert centre.ask(centre.submission(job)) == {job.tag: "41007"}
    assert centre.count("calls") == 0


def test_an_id_that_was_not_written_whole_is_looked_up(centre):
    job = request()
    centre.ask(centre.submission(job))
    for torn in ("", "410", "41 "):
        (centre.folder_of(job) / "id").write_text(torn)
        assert centre.ask(centre.submission(job)) == {job.tag: "41000"}


@that_remembers
@pytest.mark.parametrize(("marker", "target", "array"), [("run", "41007", None), ("run.3", "410070000003", "0-9")])
def test_a_job_that_started_is_known_by_its_own_marker_where_nothing_else_has_it(centre, marker, target, array):
    job = request(array=array)
    centre.folder_of(job).mkdir(parents=True)
    (centre.folder_of(job) / marker).symlink_to(target)
    centre.set(f"{centre.LISTING}.empty")
    assert numbers(centre.ask(centre.submission(job))) == ["41007"]
    assert centre.count("calls") == 0


@that_remembers
def test_a_marker_that_was_taken_on_the_jobs_behalf_is_no_job_and_no_doubt(centre):
    job = request()
    centre.folder_of(job).mkdir(parents=True)
    (centre.folder_of(job) / "run").symlink_to(MOVED)
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}


def test_after_a_failure_that_left_nothing_the_job_is_submitted(centre, guarded):
    command = centre.submission(request())
    centre.set("mode", guarded.doubts[0])
    centre.ask(command)
    centre.set("mode")
    assert list(centre.ask(command).values()) == ["41000"]


@each("said", lambda one: one.refusals)
def test_a_definite_refusal_is_kept_and_never_tried_again(centre, said):
    command = centre.submission(request())
    centre.set("mode", said)
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Refused)
    assert said.rpartition(": ")[2].strip() in answer.en
    centre.set("mode")
    (again,) = centre.ask(command).values()
    assert isinstance(again, Refused)
    assert (again.en, centre.jobs()) == (answer.en, [])


@each("said", lambda one: one.doubts)
def test_what_is_no_definite_refusal_is_asked_again(centre, said):
    centre.set("mode", said)
    (answer,) = centre.ask(centre.submission(request())).values()
    assert isinstance(answer, Unreachable)


def test_a_refusal_does_not_hide_an_earlier_try_that_arrived_late(centre, guarded):
    command = centre.submission(request())
    centre.set("mode", guarded.doubts[0])
    centre.ask(command)
    centre.set("mode", "late" + guarded.refusals[0])
    assert list(centre.ask(command).values()) == ["41000"]


def test_a_batch_does_not_wait_for_a_silent_scheduler_once_a_job(centre, guarded):
    centre.set("mode", guarded.doubts[0])
    answers = centre.ask(centre.submission(*[request() for _ in range(3 * TAGS_AT_A_TIME)]))
    assert {type(answer) for answer in answers.values()} == {Unreachable}
    assert centre.count("calls") == TAGS_AT_A_TIME


def test_a_client_that_never_ends_is_ended_and_its_job_is_found_by_the_next_try(centre):
    job = request()
    centre.set("mode", "hangs")
    patient = centre.submission(job)
    argv = list(patient.argv)
    argv[argv.index(str(PATIENCE_SECONDS))] = "1"
    assert isinstance(centre.ask(replace(patient, argv=tuple(argv)))[job.tag], Unreachable)
    with pytest.raises(ProcessLookupError):
        os.kill(int((centre.folder / "pid").read_text()), 0)
    centre.set("mode")
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}
    assert len(centre.jobs()) == 1


def test_one_refused_job_does_not_hold_up_the_others(centre):
    bad, good = request(work_directory="home-is-a-file/x"), request()
    (centre.home / "home-is-a-file").write_text("")
    answers = centre.ask(centre.submission(bad, good))
    assert isinstance(answers[bad.tag], Refused)
    assert answers[good.tag] == "41000"


def test_what_start_up_files_write_and_set_does_not_matter(centre, guarded):
    noise = centre.folder / "noise"
    noise.write_text(f"unset BASH_ENV; echo Welcome; printf 'half a line'; export {guarded.unwanted}\n")
    job = request()
    assert centre.ask(centre.submission(job), BASH_ENV=str(noise)) == {job.tag: "41000"}
    unwanted = {word.partition("=")[0] for word in guarded.unwanted.split()}
    assert not unwanted & set((centre.folder / "environment").read_text().split())


def test_the_folders_are_private_and_the_job_keeps_the_accounts_own_umask(centre):
    job = request()
    centre.ask(centre.submission(job))
    for path in (".paracloud", f".paracloud/jobs/{job.tag}", "paracloud", job.work_directory):
        assert stat.S_IMODE((centre.home / path).stat().st_mode) == 0o700, path
    assert stat.S_IMODE((centre.folder_of(job) / "script").stat().st_mode) == 0o600
    assert (centre.folder / "umask").read_text() == "0022\n"
    assert (centre.folder / "places").read_text() == f"{centre.home}\n"


def test_the_folders_that_outputs_go_to_are_made_before_the_job_starts(centre):
    job = request(output="logs/out put/%j.out", error="logs/%j.err")
    unknown = request(output="%j/out")
    assert set(centre.ask(centre.submission(job, unknown)).values()) == {"41000", "41001"}
    place = centre.home / job.work_directory
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == ["logs", "logs/out put"]
    assert list((centre.home / unknown.work_directory).iterdir()) == []


def test_hostile_values_reach_the_scheduler_as_text(centre):
    text = 'it\'s "q" $(touch pwned) `touch pwned` | ; & 中文'
    job = request(name=text, work_directory=text, script="#!/bin/bash\n" + text, output=f"{text}/x")
    assert centre.ask(centre.submission(job)) == {job.tag: "41000"}
    assert (centre.home / text / text).is_dir()
    assert not list(centre.folder.rglob("pwned"))


def test_a_request_that_was_cut_on_the_way_submits_only_its_whole_lines(centre):
    jobs = [request() for _ in range(2)]
    command = centre.submission(*jobs)
    for end in (len(command.stdin) - 2, len(command.stdin) - 30, len(command.stdin) // 2 + 50):
        answers = centre.ask(replace(command, stdin=command.stdin[:end]))
        assert answers[jobs[0].tag] == "41000"
        assert isinstance(answers[jobs[1].tag], Unreachable)
    assert len(centre.jobs()) == 1


def test_a_home_that_cannot_be_written_to_is_asked_again(centre):
    (centre.home / ".paracloud").write_text("in the way")
    (answer,) = centre.ask(centre.submission(request())).values()
    assert isinstance(answer, Unreachable)
    assert centre.count("calls") == 0
