from dataclasses import replace

import pytest
from tests.paracloud.dialects.slurm.golden import NONCE, asked, dialect, recorded

from paracloud.dialects.records import NativePhase
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Invalid, Unreachable

ACCOUNTS = ("alice", "bob")


def observed():
    return dialect().observe(ACCOUNTS).parse(recorded("squeue"))


def one(tag_number):
    (found,) = [seen for seen in observed() if seen.tag == f"{tag_number:032x}"]
    return found


def test_the_recorded_listing_answers_the_command_that_is_sent():
    assert asked("squeue")["command"] == list(dialect().observe(ACCOUNTS).argv)


def test_a_running_job_has_its_tag_account_start_and_nodes():
    job = one(1)
    assert (job.native_id, job.account, job.phase, job.node_list) == ("41031", "alice", NativePhase.RUNNING, "eastcpu1")
    assert job.submitted_at.timestamp() == job.started_at.timestamp() == 1795466630


def test_a_waiting_job_has_no_start_though_slurm_plans_one():
    job = one(7)
    assert (job.phase, job.reason, job.started_at) == (NativePhase.QUEUED, "Priority", None)


def test_a_held_job_is_held():
    assert one(3).phase is NativePhase.HELD


def test_an_array_shows_its_started_tasks_by_index_and_the_rest_as_one():
    array = [seen for seen in observed() if seen.native_id == "41032"]
    assert {(seen.task_index, seen.phase) for seen in array} == {
        (1, NativePhase.RUNNING),
        (2, NativePhase.CANCELLED),
        (3, NativePhase.RUNNING),
        (None, NativePhase.QUEUED),
    }


def test_ended_jobs_are_still_listed_with_how_they_ended():
    assert one(5).phase is NativePhase.COMPLETED
    assert one(4).phase is NativePhase.CANCELLED


def test_a_name_with_line_breaks_and_bars_forges_no_row():
    assert len(observed()) == 20
    assert "4711" not in {seen.native_id for seen in observed()}


def test_a_reason_may_hold_bars():
    row = f"7|N/A|alice|PENDING|1795466630|N/A||a|b c{NONCE}{'pc-' + '0' * 31 + '1':>40}\n".encode()
    (seen,) = dialect().observe(ACCOUNTS).parse(Completed(0, row, b""))
    assert (seen.reason, seen.tag) == ("a|b c", "0" * 31 + "1")


def test_an_unknown_state_is_unknown_and_keeps_its_text():
    row = f"7|N/A|alice|TELEPORTED|1795466630|N/A|||None{NONCE}x\n".encode()
    (seen,) = dialect().observe(ACCOUNTS).parse(Completed(0, row, b""))
    assert (seen.phase, seen.native_state) == (NativePhase.UNKNOWN, "TELEPORTED")


@pytest.mark.parametrize("state", ["REQUEUED", "REQUEUE_FED", "PENDING"])
def test_a_requeued_job_in_the_listing_waits_for_its_next_run(state):
    row = f"7|N/A|alice|{state}|1795466630|N/A||BeginTime{NONCE}x\n".encode()
    (seen,) = dialect().observe(ACCOUNTS).parse(Completed(0, row, b""))
    assert seen.phase is NativePhase.QUEUED


def test_escape_codes_do_not_reach_people():
    row = f"7|N/A|alice|PENDING|1795466630|N/A||\x1b[2J\x00red{NONCE}x\n".encode()
    (seen,) = dialect().observe(ACCOUNTS).parse(Completed(0, row, b""))
    assert seen.reason.isprintable()


def test_what_a_start_up_file_writes_before_the_rows_is_left_out():
    whole = recorded("squeue")
    noisy = replace(whole, stdout=b"Welcome!\nMaintenance on Monday | be warned\n" + whole.stdout)
    assert dialect().observe(ACCOUNTS).parse(noisy) == observed()


def test_a_listing_cut_anywhere_in_its_last_row_is_broken():
    whole = recorded("squeue").stdout
    for cut in range(1, len(whole) - whole.rindex(b"\n", 0, -1) - 1):
        with pytest.raises(Broken):
            dialect().observe(ACCOUNTS).parse(Completed(0, whole[:-cut], b""))


def test_the_only_row_cut_before_its_first_mark_is_broken_too():
    with pytest.raises(Broken):
        dialect().observe(ACCOUNTS).parse(Completed(0, b"41031|N/A|ali", b""))


def test_a_listing_over_the_limit_is_broken():
    with pytest.raises(Broken):
        dialect().observe(ACCOUNTS).parse(replace(recorded("squeue"), truncated=True))


@pytest.mark.parametrize("name", ["squeue-silent", "squeue-unknown-account"])
def test_silence_is_no_empty_listing(name):
    with pytest.raises(Unreachable):
        dialect().observe(ACCOUNTS).parse(recorded(name))


def test_no_jobs_is_an_empty_listing():
    assert dialect().observe(("nobody",)).parse(recorded("squeue-empty")) == ()


@pytest.mark.parametrize("account", ["", "-x", "a,b", "a b", "a'b", "a\nb"])
def test_an_account_that_could_be_read_as_something_else_is_refused(account):
    with pytest.raises(Invalid):
        dialect().observe((account,))


def test_a_listing_with_more_rows_than_any_queue_has_is_broken():
    command = dialect().observe(["east001"])
    nonce = next(word for word in command.argv if "%.40j" in word).removeprefix("%F|%K|%u|%T|%V|%S|%N|%r")[:-5]
    row = f"1|N/A|east001|RUNNING|1700000000|1700000000|n|None{nonce}name\n".encode()
    assert len(command.parse(Completed(0, row * 10, b""))) == 10
    with pytest.raises(Broken, match="more than 250000 rows"):
        command.parse(Completed(0, f"|||||||{nonce}\n".encode() * 250_001, b""))
