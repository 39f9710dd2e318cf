import os
import random
import stat
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from tests.paracloud.dialects.slurm.golden import dialect, recorded
from tests.paracloud.dialects.slurm.stand_in import StandIn, batch, request

from paracloud.dialects.guard import PATIENCE_SECONDS
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Refused, Unreachable

START = datetime(2026, 11, 23, tzinfo=UTC)
REFUSALS = [
    "sbatch: error: invalid partition specified: nope\n"
    "sbatch: error: Batch job submission failed: Invalid partition name specified",
    "sbatch: error: Batch job submission failed: Requested time limit is invalid (missing or exceeds some limit)",
    "sbatch: error: Batch job submission failed: More processors requested than permitted",
    "sbatch: error: Batch job submission failed: User's group not permitted to use this partition",
    "sbatch: error: AssocGrpCpuLimit\nsbatch: error: Batch job submission failed: Job violates accounting/QOS policy "
    "(job submit limit, user's size and/or time limits)",
    "sbatch: error: Use --account\nsbatch: error: Batch job submission failed: Unspecified error",
    "sbatch: error: Invalid --mem specification",
    "sbatch: unrecognized option '--frobnicate'",
]
DOUBTS = [
    "sbatch: error: Batch job submission failed: Unable to contact slurm controller (connect failure)",
    "sbatch: error: Batch job submission failed: Socket timed out on send/recv operation",
    "sbatch: error: Batch job submission failed: Zero Bytes were transmitted or received",
    "sbatch: error: Batch job submission failed: Unexpected message received",
    "sbatch: error: Batch job submission failed: Unspecified error",
    "sbatch: error: Batch job submission failed: Invalid authentication credential",
    "sbatch: error: Munge encode failed: Invalid credential format",
    "sbatch: error: Batch job submission failed: Slurm internal error, contact system administrator",
    "sbatch: error: QOSMaxSubmitJobPerUserLimit\nsbatch: error: Batch job submission failed: Job violates "
    "accounting/QOS policy (job submit limit, user's size and/or time limits)",
    "sbatch: error: a sentence of next year's release",
    "Killed",
]


@pytest.fixture
def centre(tmp_path):
    return StandIn(tmp_path)


def submit(*requests):
    return SlurmDialect().submit(batch(*requests))


def test_a_batch_is_submitted_and_its_repetition_only_answers(centre):
    jobs = [request() for _ in range(9)]
    first = centre.ask(submit(*jobs))
    assert sorted(first.values()) == [str(number) for number in range(41000, 41009)]
    assert centre.ask(submit(*jobs)) == first
    assert (len(centre.jobs()), centre.count("calls"), centre.count("squeue.calls")) == (9, 9, 0)


def test_forty_guards_at_once_submit_one_job(centre):
    command = submit(request())
    guards = [centre.start(command) for _ in range(40)]
    answers = [command.parse(Completed(0, *guard.communicate(timeout=60))) for guard in guards]
    assert len(centre.jobs()) == 1
    assert {str(answer) for one in answers for answer in one.values()} == {"41000"}


def test_a_guard_that_is_killed_anywhere_and_repeated_submits_one_job(centre):
    chance = random.Random(7)
    for number in range(15):
        job = request()
        for _ in range(chance.randint(1, 3)):
            centre.kill(submit(job), chance.uniform(0, 0.25))
        answer = centre.ask(submit(job))[job.tag]
        assert centre.jobs()[number:] == [f"{answer} pc-{job.tag}"]


def test_an_answer_that_was_lost_is_found_by_name(centre):
    command = submit(request())
    centre.set("mode", "lost")
    (answer,) = centre.ask(command).values()
    assert isinstance(answer, Unreachable)
    centre.set("mode")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


def test_a_lost_answer_is_found_in_accounting_once_the_listing_has_forgotten_it(centre):
    command = submit(request())
    centre.set("mode", "lost")
    centre.ask(command)
    centre.set("mode")
    centre.set("squeue.empty")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


@pytest.mark.parametrize("silent", [("squeue.silent",), ("squeue.empty", "sacct.silent")])
def test_nothing_is_submitted_while_a_look_up_is_without_answer(centre, silent):
    command = submit(request())
    centre.set("mode", "lost")
    centre.ask(command)
    centre.set("mode")
    for name in silent:
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
    command = submit(request())
    guards = [centre.start(command) for _ in range(4)]
    answers = [command.parse(Completed(0, *guard.communicate(timeout=60))) for guard in guards]
    assert len(centre.jobs()) == 1
    assert "41000" in [answer for one in answers for answer in one.values()]


def test_a_folder_that_is_all_that_a_crash_left_is_looked_up(centre):
    job = request()
    (centre.home / ".paracloud/jobs" / job.tag).mkdir(parents=True)
    centre.set("jobs", f"41007 pc-{job.tag}\n")
    assert centre.ask(submit(job)) == {job.tag: "41007"}
    assert centre.count("calls") == 0


def test_an_id_that_was_not_written_whole_is_looked_up(centre):
    job = request()
    centre.ask(submit(job))
    for torn in ("", "410", "41 "):
        (centre.home / ".paracloud/jobs" / job.tag / "id").write_text(torn)
        assert centre.ask(submit(job)) == {job.tag: "41000"}


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
    assert isinstance(again, Refused)
    assert (again.en, centre.jobs()) == (answer.en, [])


@pytest.mark.parametrize("said", DOUBTS)
def test_what_is_no_definite_refusal_is_asked_again(centre, said):
    centre.set("mode", said)
    (answer,) = centre.ask(submit(request())).values()
    assert isinstance(answer, Unreachable)


def test_a_refusal_does_not_hide_an_earlier_try_that_arrived_late(centre):
    command = submit(request())
    centre.set("mode", DOUBTS[1])
    centre.ask(command)
    centre.set("mode", "late" + REFUSALS[1])
    assert list(centre.ask(command).values()) == ["41000"]


def test_a_batch_does_not_wait_for_a_silent_slurm_once_a_job(centre):
    centre.set("mode", DOUBTS[0])
    answers = centre.ask(submit(*[request() for _ in range(12)]))
    assert {type(answer) for answer in answers.values()} == {Unreachable}
    assert centre.count("calls") == 4


def test_an_sbatch_that_never_ends_is_ended_and_its_job_is_found_by_the_next_try(centre):
    job = request()
    centre.set("mode", "hangs")
    patient = submit(job)
    argv = list(patient.argv)
    argv[argv.index(str(PATIENCE_SECONDS))] = "1"
    assert isinstance(centre.ask(replace(patient, argv=tuple(argv)))[job.tag], Unreachable)
    with pytest.raises(ProcessLookupError):
        os.kill(int((centre.folder / "pid").read_text()), 0)
    centre.set("mode")
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    assert len(centre.jobs()) == 1


def test_one_refused_job_does_not_hold_up_the_others(centre):
    bad, good = request(work_directory="home-is-a-file/x"), request()
    (centre.home / "home-is-a-file").write_text("")
    answers = centre.ask(submit(bad, good))
    assert isinstance(answers[bad.tag], Refused)
    assert answers[good.tag] == "41000"


def test_what_start_up_files_write_and_set_does_not_matter(centre):
    noise = centre.folder / "noise"
    noise.write_text(
        "unset BASH_ENV; echo Welcome; printf 'half a line'; export SBATCH_PARTITION=other SBATCH_TEST_ONLY=1\n"
    )
    job = request()
    assert centre.ask(submit(job), BASH_ENV=str(noise)) == {job.tag: "41000"}
    assert "SBATCH_PARTITION" not in (centre.folder / "environment").read_text()


def test_the_folders_are_private_and_the_job_keeps_the_accounts_own_umask(centre):
    job = request()
    centre.ask(submit(job))
    for path in (".paracloud", f".paracloud/jobs/{job.tag}", "paracloud", job.work_directory):
        assert stat.S_IMODE((centre.home / path).stat().st_mode) == 0o700, path
    assert stat.S_IMODE((centre.home / f".paracloud/jobs/{job.tag}/script").stat().st_mode) == 0o600
    assert (centre.folder / "umask").read_text() == "0022\n"
    assert (centre.folder / "places").read_text() == f"{centre.home}\n"


def test_the_folders_that_outputs_go_to_are_made_before_the_job_starts(centre):
    job = request(
        output="logs/out put/%j.out", error="logs/%j.err", script="#!/bin/bash\n#SBATCH --output=elsewhere/%j.out\n"
    )
    unknown = request(output="%j/out")
    assert set(centre.ask(submit(job, unknown)).values()) == {"41000", "41001"}
    place = centre.home / job.work_directory
    assert sorted(str(path.relative_to(place)) for path in place.rglob("*")) == ["logs", "logs/out put"]
    assert list((centre.home / unknown.work_directory).iterdir()) == []


def test_hostile_values_reach_slurm_as_text(centre):
    text = 'it\'s "q" $(touch pwned) `touch pwned` | ; & 中文'
    job = request(name=text, work_directory=text, script="#!/bin/bash\n" + text, extra={"comment": text})
    assert centre.ask(submit(job)) == {job.tag: "41000"}
    assert (centre.home / text).is_dir()
    assert not list(centre.folder.rglob("pwned"))


def test_a_request_that_was_cut_on_the_way_submits_only_its_whole_lines(centre):
    jobs = [request() for _ in range(2)]
    command = submit(*jobs)
    for end in (len(command.stdin) - 2, len(command.stdin) - 30, len(command.stdin) // 2 + 50):
        answers = centre.ask(replace(command, stdin=command.stdin[:end]))
        assert answers[jobs[0].tag] == "41000"
        assert isinstance(answers[jobs[1].tag], Unreachable)
    assert len(centre.jobs()) == 1


def test_a_home_that_cannot_be_written_to_is_asked_again(centre):
    (centre.home / ".paracloud").write_text("in the way")
    (answer,) = centre.ask(submit(request())).values()
    assert isinstance(answer, Unreachable)
    assert centre.count("calls") == 0


def test_recorded_answers_are_an_id_and_a_refusal():
    jobs = [request(tag=f"{number:032x}") for number in (78, 79)]
    accepted, refused = dialect().submit(batch(*jobs)).parse(recorded("sbatch-submitted")).values()
    assert accepted == "41052"
    assert isinstance(refused, Refused)
    assert "time limit" in refused.en


def test_an_answer_cut_anywhere_is_no_answer_never_another_id():
    jobs = [request(tag=f"{number:032x}") for number in (78, 79)]
    command = dialect().submit(batch(*jobs))
    whole = recorded("sbatch-submitted").stdout
    for end in range(len(whole)):
        for answer in command.parse(Completed(0, whole[:end], b"", truncated=True)).values():
            assert isinstance(answer, Unreachable | Refused) or answer == "41052"


@pytest.mark.parametrize(
    "line",
    [
        "pc00c0ffee00c0ffee 99999999999999999999999999999999 id 7 .",
        "pc00c0ffee00c0ffee TAG id 7 .\npc00c0ffee00c0ffee TAG id 8 .",
        "pc00c0ffee00c0ffee TAG id 7;8 .",
        "pc00c0ffee00c0ffee TAG id ٧ .",
        "pc00c0ffee00c0ffee TAG id 7 8 .",
        "pc00c0ffee00c0ffee TAG done 7777 .",
        "pc00c0ffee00c0ffee TAG refused *** .",
    ],
)
def test_an_answer_that_is_forged_or_not_understood_is_broken(line):
    job = request()
    with pytest.raises(Broken):
        dialect().submit(batch(job)).parse(Completed(0, line.replace("TAG", job.tag).encode() + b"\n", b""))


def test_a_line_without_this_calls_nonce_is_noise():
    job = request()
    (answer,) = dialect().submit(batch(job)).parse(Completed(0, f"pc0 {job.tag} id 7 .\n".encode(), b"")).values()
    assert isinstance(answer, Unreachable)


def test_find_reads_listing_and_accounting_and_takes_the_first_of_two():
    tags = [f"{number:032x}" for number in (1, 2, 3)]
    listed = f"41007PCN     pc-{tags[0]}\n"
    known = f"41003_2PCNpc-{tags[0]}\n41009_[1-3]PCNpc-{tags[1]}\n9PCNpc-{'f' * 32}\n8PCNevil\npc-\n"
    command = SlurmDialect(lambda: "PCN").find(tags, START)
    assert command.parse(Completed(0, (listed + known).encode(), b"")) == {tags[0]: "41003", tags[1]: "41009"}
