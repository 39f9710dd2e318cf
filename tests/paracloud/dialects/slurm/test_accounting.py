from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from tests.paracloud.dialects.slurm.golden import NONCE, dialect, recorded

from paracloud.dialects.records import NativePhase
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Unreachable

START = datetime.fromtimestamp(1795466600, UTC)
END = START + timedelta(hours=1)
ROW = "7|7|alice|cpu|COMPLETED|0:0|1795466630|1795466640|1795466650|10|2|1|cpu=2,mem=2000M,node=1|n1|normal|x"


def account(completed, start=START, end=END):
    return told(completed, start, end).records


def told(completed, start=START, end=END):
    return dialect().account(start, end, ("alice", "bob")).parse(completed)


def by_id(name):
    return dialect().account_of(("1",)).parse(recorded(name))


def record(tag_number):
    (found,) = [one for one in by_id("sacct-jobs") if one.tag == f"{tag_number:032x}"]
    return found


def answer(row, delimiter=NONCE):
    return Completed(0, (row.replace("|", delimiter) + "\n").encode(), b"")


def test_a_completed_job_on_gpus_has_its_whole_usage():
    job = record(5)
    assert (job.phase, job.cores, job.elapsed_seconds, job.core_seconds) == (NativePhase.COMPLETED, 3, 3, 9)
    assert (job.gpus, job.gpu_seconds, job.nodes, job.memory_bytes) == (2, 6, 1, 2048 << 20)
    assert (job.queue, job.qos, job.account, job.restart_count) == ("gpu", "normal", "bob", 0)


def test_jobs_that_have_not_ended_are_absent():
    assert not {one.native_id for one in by_id("sacct-jobs")} & {"41031", "41033", "41035", "41037", "41040"}


def test_an_end_that_accounting_heard_of_before_the_submission_waits_for_the_rest():
    early = (
        "7|7|root||COMPLETED|0:0|1795466630|1795466640|1795466650|10|1|1|"
        "billing=1,cpu=1,mem=100M,node=1|n1|normal|allocation"
    )
    assert account(answer(early)) == ()
    assert len(account(answer(ROW.replace("|x", "|allocation")))) == 1


def test_how_a_job_ended_is_told_with_code_and_signal():
    ends = {one.native_id: (one.phase, one.exit_code, one.exit_signal) for one in by_id("sacct-jobs")}
    assert ends["41034"] == (NativePhase.FAILED, 3, 0)
    assert ends["41039"] == (NativePhase.FAILED, 0, 11)
    assert ends["41042"] == (NativePhase.TIMEOUT, 0, 0)
    assert ends["41045"] == (NativePhase.NODE_FAILED, 0, 0)
    assert ends["41041"] == (NativePhase.CANCELLED, 0, 0)


@pytest.mark.parametrize("tag_number", [4, 8])
def test_a_job_that_never_ran_has_no_start_and_no_usage(tag_number):
    job = record(tag_number)
    assert (job.started_at, job.core_seconds, job.cores, job.nodes) == (None, 0, 0, 0)


def test_array_tasks_have_ids_of_their_own_and_the_array_is_their_job():
    (task,) = [one for one in by_id("sacct-jobs") if one.native_id == "41032"]
    assert (task.record_id, task.task_index, task.phase) == ("41048", 2, NativePhase.CANCELLED)


def test_tasks_that_never_started_end_as_one_record_without_an_index():
    assert (record(8).native_id, record(8).task_index, record(8).unstarted) == ("41044", None, "1-4")


def test_each_run_of_a_requeued_job_is_a_record_with_a_submit_time_of_its_own():
    runs = by_id("sacct-requeued")
    assert [one.phase for one in runs] == [NativePhase.REQUEUED, NativePhase.COMPLETED]
    assert [one.elapsed_seconds for one in runs] == [47, 400]
    assert len({(one.record_id, one.submitted_at) for one in runs}) == 2


def test_no_two_records_share_id_and_submit_time():
    keys = Counter((one.record_id, one.submitted_at) for one in by_id("sacct-jobs"))
    assert set(keys.values()) == {1}


def test_a_name_with_line_breaks_and_bars_stays_one_name():
    (name,) = {one.name for one in by_id("sacct-requeued")}
    assert name == "evil 4711|x$(id)|?? `q`"


def test_only_what_ended_in_the_window_is_returned_with_its_end_open():
    ended = datetime.fromtimestamp(1795466650, UTC)
    assert len(account(answer(ROW), ended, END)) == 1
    assert account(answer(ROW), START, ended) == ()


def test_the_window_is_asked_in_utc_whatever_the_zone_of_the_centre():
    argv = dialect().account(START, END, ("alice",)).argv
    assert argv[:3] == ("env", "TZ=UTC0", "SLURM_TIME_FORMAT=%s")
    assert argv[argv.index("-S") + 1] == "2026-11-23T20:43:19"


def test_windows_next_to_each_other_lose_and_repeat_nothing():
    whole = account(recorded("sacct-window"))
    middle = START + timedelta(seconds=34)
    halves = [account(recorded("sacct-window"), START, middle), account(recorded("sacct-window"), middle, END)]
    assert all(halves)
    assert sorted(one.record_id for half in halves for one in half) == sorted(one.record_id for one in whole)


@pytest.mark.parametrize(
    "row",
    [
        ROW.replace("1795466650", "yesterday"),
        ROW.replace("1795466630", "Unknown"),
        ROW.replace("|10|2|", "|-10|2|"),
        ROW.replace("|10|2|", "|1e9|2|"),
        ROW.replace("|10|2|", "|" + "9" * 30 + "|2|"),
        ROW.replace("0:0", "?"),
        ROW.replace("2000M", "much"),
        ROW.replace("7|7|", "7|x_1|"),
    ],
)
def test_a_row_that_is_not_understood_is_listed_and_keeps_no_other_out(row):
    good = ROW.replace("|", NONCE) + "\n"
    found = told(Completed(0, (good + row.replace("|", NONCE) + "\n" + good).encode(), b""))
    assert (len(found.records), [one.raw for one in found.unread]) == (2, [row])
    assert (found.unread[0].account, found.unread[0].native_id) == ("alice", None if "x_1" in row else "7")


@pytest.mark.parametrize("row", [ROW.rpartition("|")[0], ROW + "|more"])
def test_a_row_over_the_wrong_number_of_columns_is_broken_with_evidence(row):
    with pytest.raises(Broken) as caught:
        account(answer(row))
    assert b"alice" in caught.value.evidence


def test_an_unknown_end_is_unknown_and_keeps_its_text():
    (one,) = account(answer(ROW.replace("COMPLETED", "EVAPORATED by 7")))
    assert (one.phase, one.native_state) == (NativePhase.UNKNOWN, "EVAPORATED by 7")


def test_gpus_count_once_where_both_the_sum_and_the_models_are_told():
    both = ROW.replace("node=1", "node=1,gres/gpu=3,gres/gpu:a100=2,gres/gpu:v100=1")
    models = ROW.replace("node=1", "node=1,gres/gpu:a100=2,gres/gpu:v100=1")
    assert [account(answer(row))[0].gpus for row in (both, models)] == [3, 3]


def test_licences_slices_and_others_are_told_and_what_never_ran_had_none():
    had = "node=1,billing=8,gres/gpu=2,gres/gpu:a100_3g.20gb=2,gres/fpga=1,license/matlab@flex=3"
    row = ROW.replace("node=1", had)
    (one,) = account(answer(row))
    assert dict(one.resources) == {"gpu_slices.a100_3g.20gb": 2, "licence.matlab": 3, "resource.fpga": 1}
    assert (one.cores, one.gpus, one.memory_bytes) == (2, 0, 2000 << 20)
    (never,) = account(answer(row.replace("|1795466640|", "|Unknown|")))
    assert (never.elapsed_seconds, dict(never.resources)) == (0, {})


def test_a_licence_that_is_no_number_is_listed():
    (one,) = told(answer(ROW.replace("node=1", "node=1,license/matlab=many"))).unread
    assert "many" in one.en


def test_a_record_of_somebody_else_is_returned_as_theirs():
    (one,) = account(answer(ROW.replace("alice", "mallory")))
    assert one.account == "mallory"


def test_nothing_that_postgresql_or_a_terminal_cannot_take_is_kept():
    (one,) = account(answer(ROW.replace("|x", "|a\x00\x1b[31m\u202eb").replace("n1", "n\x07")))
    assert one.name.isprintable()
    assert one.raw.isprintable()
    assert one.node_list.isprintable()


def test_a_silent_accounting_daemon_is_unreachable():
    with pytest.raises(Unreachable):
        account(recorded("sacct-silent"))


def test_an_account_that_the_centre_does_not_know_is_broken_and_named():
    with pytest.raises(Broken, match="nosuch"):
        account(recorded("sacct-unknown-account"))


def test_many_ids_are_asked_in_lines_that_fit():
    command = dialect().account_of([str(number) for number in range(10_000_000, 10_002_500)])
    assert command.cost == 3
    assert max(len(line) for line in command.stdin.splitlines()) < 10_000
