"""Old logs of Slurm, as sacct writes them."""

from datetime import UTC, datetime, timedelta

import pytest
from tests.paracloud.dialects.log_lines import VALUES, headed, one, sacct

from paracloud.dialects.history import HistoryRecord, LeftOut, Unreadable, accounted
from paracloud.dialects.records import NativePhase
from paracloud.dialects.slurm import history as slurm


def test_a_line_of_sacct_is_a_record():
    found = one(slurm, sacct())
    assert (found.native_id, found.task_index, found.cores, found.nodes, found.gpus) == ("71", None, 64, 2, 8)
    assert (found.user, found.account, found.queue, found.qos) == ("lin", "physics", "cpu", "normal")
    assert found.started_at == datetime(2026, 6, 1, 8, 10, tzinfo=UTC)
    assert (found.elapsed_seconds, found.memory_bytes, found.phase) == (86400, 256 << 30, NativePhase.COMPLETED)
    assert (found.cluster, found.requested_cores, found.wall_limit) == ("c", 64, timedelta(days=2))
    assert found.eligible_at == found.submitted_at == datetime(2026, 6, 1, 8, tzinfo=UTC)
    without = one(slurm, sacct(Eligible="Unknown", Timelimit="UNLIMITED"))
    assert (without.eligible_at, without.wall_limit, without.raw) == (
        None,
        None,
        sacct(Eligible="Unknown", Timelimit="UNLIMITED")[:-1],
    )


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"JobID": "71.batch"}, "step"),
        ({"End": "Unknown", "State": "RUNNING"}, "not ended"),
        ({"State": "RUNNING"}, "not ended"),
        ({"NodeList": "None assigned", "State": "CANCELLED by 7"}, "never started"),
        ({"Start": "Unknown", "State": "CANCELLED"}, "never started"),
    ],
)
def test_what_is_no_ended_execution_is_left_out_by_name(changes, why):
    assert one(slurm, sacct(**changes)) == LeftOut(1, why)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"State": "FOO"}, "unknown"),
        ({"NCPUS": "-4"}, "whole number"),
        ({"NCPUS": ""}, "whole number"),
        ({"NCPUS": "0"}, "on no core"),
        ({"Start": "yesterday"}, "time"),
        ({"JobIDRaw": "x"}, "whole number"),
        ({"JobID": "x"}, "no job id"),
        ({"JobID": "71_[1-3,..."}, "no job id"),
        ({"Start": "2026-06-01"}, "time"),
        ({"End": "9999-06-01T00:00:00"}, "time"),
        ({"AllocTRES": "cpu=1,mem=lots"}, "size"),
        ({"AllocTRES": "cpu=1,mem=999999999999999G"}, "more than any machine has"),
        ({"NCPUS": "10000000000"}, "too large"),
        ({"JobID": "71_[0-999999999]"}, "tasks"),
        ({"Elapsed": "1-00:00:01"}, "its elapsed time '1-00:00:01' is longer than from start to end"),
        ({"End": "2026-06-01T08:00:00"}, "its elapsed time '1-00:00:00' is longer than from start to end"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(changes, reason):
    found = list(slurm.read([sacct(), sacct(**changes), sacct(JobID="72")]))
    assert [type(one) for one in found] == [HistoryRecord, Unreadable, HistoryRecord]
    assert found[1].line == 2
    assert reason in found[1].en
    assert any("\u4e00" <= letter <= "\u9fff" for letter in found[1].zh)


def test_a_name_may_hold_bars_and_any_letters():
    assert one(slurm, sacct(JobName="a|b|中文à")).name == "a|b|中文à"


def test_one_line_of_an_array_stands_for_each_of_its_tasks():
    found = list(slurm.read([sacct(JobID="71_[1-3,7-11:2%2]")]))
    assert [one.task_index for one in found] == [1, 2, 3, 7, 9, 11]
    assert one(slurm, sacct(JobID="71_5")).task_index == 5


def test_a_header_says_which_columns_there_are_and_in_what_order():
    names = ("End", "Start", "Submit", "State", "AllocCPUS", "AllocNodes", "AllocTRES", "User", "Partition", "JobID")
    same = {"AllocCPUS": "NCPUS", "AllocNodes": "NNodes"}
    row = "|".join(VALUES[same.get(name, name)] for name in names)
    (found,) = slurm.read(["|".join(names) + "\n", row + "\n"])
    assert (found.cores, found.nodes, found.elapsed_seconds, found.user) == (64, 2, 86400, "lin")
    (lacking,) = slurm.read(["JobID|User\n", "1|lin\n"])
    assert lacking.line == 1
    assert "lacks Partition" in lacking.en


def test_a_log_that_does_not_say_what_was_used_is_refused_by_its_header():
    (lacking,) = slurm.read(headed("AllocTRES"))
    assert (lacking.line, "lacks AllocTRES" in lacking.en, "缺少 AllocTRES" in lacking.zh) == (1, True, True)


@pytest.mark.parametrize(
    ("columns", "unsaid"),
    [
        ((), set()),
        (("QOS",), {"qos"}),
        (("ExitCode", "NodeList"), {"exit_code", "exit_signal", "node_list"}),
        (("Elapsed",), {"elapsed_seconds"}),
        (("Account", "Group", "JobName", "ReqTRES"), set()),
    ],
)
def test_what_a_missing_column_leaves_open_is_no_figure(columns, unsaid):
    (found,) = slurm.read(headed(*columns))
    assert (found.unsaid, accounted(found).unsaid) == (unsaid, unsaid)
    assert one(slurm, sacct()).unsaid == frozenset()


def test_a_task_without_its_own_id_is_not_taken_for_another_usage():
    head, row = headed("JobIDRaw")
    (task,) = slurm.read([head, row.replace("71", "71_3", 1)])
    assert "needs its JobIDRaw" in task.en
    assert [type(told) for told in slurm.read([head, row, row.replace("71", "71_[3-4]", 1)])] == [HistoryRecord] * 3


def test_a_header_may_come_again_and_begin_with_any_column():
    header = "AdminComment|JobName|" + "|".join(name for name in VALUES if name != "JobName") + "|\n"
    row = "|a|b|" + "|".join(value for name, value in VALUES.items() if name != "JobName") + "|\n"
    found = list(slurm.read([header, row, header, row]))
    assert [(one.name, one.node_list) for one in found] == [("a|b", "n[1-2]")] * 2


@pytest.mark.parametrize("text", ["2026-06-01T16:10:00+08:00", "1780301400", "2026-06-01T08:10:00.000"])
def test_a_time_may_bring_its_zone_or_be_a_number(text):
    assert one(slurm, sacct(Start=text)).started_at == datetime(2026, 6, 1, 8, 10, tzinfo=UTC)


def test_the_parts_of_a_heterogeneous_job_are_records_of_one_job():
    first, second = slurm.read([sacct(JobID="71+0", JobIDRaw="71"), sacct(JobID="71+1", JobIDRaw="72")])
    assert (first.native_id, first.record_id, second.native_id, second.record_id) == ("71", "71", "71", "72")


def test_usage_of_slurm_is_known_by_the_id_that_its_accounting_gives_each_task():
    assert one(slurm, sacct(JobID="71_5", JobIDRaw="76")).usage_id == "76"
    assert one(slurm, sacct(JobID="71_9", JobIDRaw="71")).usage_id == "71"


@pytest.mark.parametrize("said", ["license/matlab=-1", "license/matlab=1.5.2", "gres/fpga=x"])
def test_a_licence_that_is_no_number_is_not_understood(said):
    (found,) = slurm.read([sacct(AllocTRES=f"cpu=64,{said}")])
    assert isinstance(found, Unreadable)
