"""Old accounting logs: every line is a record, is left out by a rule, or says why it cannot be read."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.histories import READERS, format_of
from paracloud.dialects.history import HistoryRecord, LeftOut, Unreadable, accounted
from paracloud.dialects.pbs import history as pbs
from paracloud.dialects.records import NativePhase
from paracloud.dialects.slurm import history as slurm

VALUES = dict(
    zip(
        slurm.COLUMNS,
        (
            "71", "71", "c", "cpu", "normal", "physics", "staff", "100", "lin", "1001", "2026-06-01T08:00:00",
            "2026-06-01T08:00:00", "2026-06-01T08:10:00", "2026-06-02T08:10:00", "1-00:00:00", "0:0", "COMPLETED", "2",
            "64", "64", "4Gc", "cpu=64", "billing=64,cpu=64,gres/gpu=8,mem=256G,node=2", "2-00:00:00", "n[1-2]", "melt",
        ),
        strict=True,
    )
)  # fmt: skip
GRID = {
    "qname": "all.q", "hostname": "node7", "group": "staff", "owner": "lin", "job_name": "melt", "job_number": "22",
    "account": "sge", "submission_time": "1780300000", "start_time": "1780300600", "end_time": "1780304200",
    "failed": "0", "exit_status": "0", "project": "physics", "granted_pe": "mpi", "slots": "16", "task_number": "3",
    "category": "-l gpu=1,h_rt=7200 -pe mpi 16", "pe_taskid": "NONE",
}  # fmt: skip
PBS = (
    "06/01/2026 09:00:00;E;88[4].head;user=lin group=staff account=physics jobname=my melt queue=workq "
    "ctime=1780300000 qtime=1780300000 etime=1780300000 start=1780300600 end=1780304200 exec_host=n1/0*4+n2/0*4 "
    "Resource_List.mem=16gb Resource_List.ncpus=8 Resource_List.nodect=2 Resource_List.ngpus=2 "
    "Resource_List.walltime=36:00:00 session=1 Exit_status=0 resources_used.walltime=01:00:00\n"
)


def sacct(**changes: str) -> str:
    return "|".join((VALUES | changes).values()) + "\n"


def grid(**changes: str) -> str:
    return ":".join((dict.fromkeys(gridengine.FIELDS, "0") | GRID | changes).values()) + "\n"


def one(reader, line: str):
    (found,) = reader.read([line])
    return found


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


def headed(*without: str) -> list[str]:
    """A log whose header lacks these columns."""
    left = {name: value for name, value in VALUES.items() if name not in without}
    return ["|".join(left) + "\n", "|".join(left.values()) + "\n"]


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


@pytest.mark.parametrize(
    ("reader", "line"), [(slurm, sacct()), (gridengine, grid()), (pbs, PBS)], ids=["sacct", "gridengine", "pbs"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1])
def test_a_file_that_was_cut_anywhere_says_so_at_its_last_line(reader, line, share):
    first, last = reader.read([line, line[: int(share * len(line)) - 1]])
    assert isinstance(first, HistoryRecord)
    assert (last.line, "ends in the middle" in last.en, "截断" in last.zh) == (2, True, True)


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


def test_a_record_is_what_accounting_would_have_told():
    for found in (one(slurm, sacct(JobID="71_5", JobIDRaw="76")), one(gridengine, grid()), one(pbs, PBS)):
        told = accounted(found)
        assert (told.native_id, told.record_id, told.task_index) == (found.native_id, found.usage_id, found.task_index)
        assert told.core_seconds == found.cores * found.elapsed_seconds
        assert (told.account, told.tag, told.raw, told.qos) == ("lin", None, found.raw, found.qos)
    assert accounted(one(slurm, sacct(QOS="urgent"))).qos == "urgent"


def test_usage_of_slurm_is_known_by_the_id_that_its_accounting_gives_each_task():
    assert one(slurm, sacct(JobID="71_5", JobIDRaw="76")).usage_id == "76"
    assert one(slurm, sacct(JobID="71_9", JobIDRaw="71")).usage_id == "71"


@pytest.mark.parametrize(
    ("read", "lines"),
    [
        (slurm.read, [sacct(JobID="71_[1-3]"), sacct(JobID="71_4", JobIDRaw="72")]),
        (gridengine.read, [grid(task_number=str(task)) for task in range(4)]),
        (gridengine.read, [grid(start_time="1780300600"), grid(start_time="1780303000")]),
        (pbs.read, [PBS.replace("88[4]", job) for job in ("88[1]", "88[2]", "88", "89")]),
    ],
)
def test_each_task_and_each_time_that_it_ran_is_usage_of_its_own(read, lines):
    told = [accounted(one) for one in read(lines)]
    assert len(told) == len({(one.record_id, one.submitted_at) for one in told}) >= len(lines)


@given(st.lists(st.text(max_size=200), max_size=5))
def test_no_line_is_lost_and_no_text_breaks_a_reader(lines):
    for reader in READERS.values():
        told = list(reader([f"{line}\n" for line in lines]))
        assert all(isinstance(one, HistoryRecord | LeftOut | Unreadable) for one in told)
    shown = [line for line in lines if line.strip()]
    if shown and slurm._header(lines[0].rstrip("\r")) is None:
        assert len(list(slurm.read([f"{line}\n" for line in lines]))) == len(shown)


DAMAGE = st.one_of(st.text(max_size=30), st.from_regex(r"[0-9]{1,40}|-[0-9]+|[0-9-]+[*:+/][0-9]+", fullmatch=True))


@given(st.sampled_from(["sacct", "gridengine", "pbs"]), st.integers(0, 400), st.integers(0, 40), DAMAGE)
def test_no_damage_to_a_good_line_breaks_a_reader_or_makes_a_number_that_no_database_holds(name, at, length, damage):
    line = {"sacct": sacct(), "gridengine": grid(), "pbs": PBS}[name].rstrip("\n")
    damaged = f"{line[:at]}{damage}{line[at + length :]}".replace("\n", " ") + "\n"
    for told in READERS[name]([damaged]):
        assert isinstance(told, HistoryRecord | LeftOut | Unreadable)
        if isinstance(told, HistoryRecord):
            assert all(0 <= number < 1 << 63 for number in (told.cores, told.nodes, told.gpus, told.memory_bytes))


def test_a_line_of_grid_engine_is_a_record():
    found = one(gridengine, grid())
    assert (found.native_id, found.task_index, found.cores, found.gpus, found.account) == ("22", 3, 16, 16, "physics")
    assert (found.elapsed_seconds, found.wall_limit) == (3600, timedelta(hours=2))
    assert one(gridengine, grid(submission_time="1780300000000", start_time="1780300600000", end_time="1780304200000"))


@pytest.mark.parametrize(
    ("changes", "phase"),
    [
        ({"failed": "37", "exit_status": "137"}, NativePhase.TIMEOUT),
        ({"failed": "24"}, NativePhase.NODE_FAILED),
        ({"exit_status": "1"}, NativePhase.FAILED),
    ],
)
def test_how_grid_engine_says_that_it_ended(changes, phase):
    assert one(gridengine, grid(**changes)).phase is phase


def test_what_grid_engine_tells_besides():
    assert one(gridengine, grid(pe_taskid="1.node7")) == LeftOut(1, "step")
    assert one(gridengine, grid(start_time="0")) == LeftOut(1, "never started")
    assert one(gridengine, grid(end_time="0")) == LeftOut(1, "not ended")
    assert list(gridengine.read(["# Version: 8.1.9\n", "\n"])) == [LeftOut(1, "remark")]
    assert "colon" in one(gridengine, grid(category="-l h=a:b")).en
    assert "no time" in one(gridengine, grid(end_time="9" * 18)).en
    assert "fields" in one(gridengine, "all.q:node7:staff\n").en


def test_a_line_of_pbs_is_a_record():
    found = one(pbs, PBS)
    assert (found.native_id, found.task_index, found.cores, found.nodes, found.gpus) == ("88", 4, 8, 2, 2)
    assert (found.name, found.node_list, found.memory_bytes) == ("my melt", "n1,n2", 16 << 30)
    assert (found.eligible_at, found.wall_limit) == (datetime(2026, 6, 1, 7, 46, 40, tzinfo=UTC), timedelta(hours=36))
    torque = PBS.replace("exec_host=n1/0*4+n2/0*4", "exec_host=n1/0+n1/1+n2/0-3").replace("Resource_List.ncpus=8 ", "")
    assert (one(pbs, torque).cores, one(pbs, torque).nodes) == (6, 2)
    assert one(pbs, PBS.replace("Exit_status=0", "Exit_status=271")).phase is NativePhase.CANCELLED


def test_what_pbs_tells_besides():
    assert one(pbs, PBS.replace(";E;", ";Q;")) == LeftOut(1, "queued")
    assert "lacks end" in one(pbs, PBS.replace(" end=1780304200", "")).en
    assert "time;type;id" in one(pbs, PBS[:20] + "\n").en
    assert one(pbs, PBS.replace("88[4]", "88[]")) == LeftOut(1, "array as a whole")
    assert one(pbs, PBS.replace("start=1780300600", "start=0")) == LeftOut(1, "never started")


@pytest.mark.parametrize(
    ("was", "becomes", "reason"),
    [
        ("end=1780304200", "end=99999999999999999", "no time"),
        ("Exit_status=0", "Exit_status=x", "exit status"),
        ("mem=16gb", "mem=999999999999999999tb", "size"),
        ("walltime=36:00:00", "walltime=soon", "time span"),
        ("88[4].head", "head", "job id"),
    ],
)
def test_what_pbs_says_wrongly_is_told(was, becomes, reason):
    found = one(pbs, PBS.replace(was, becomes))
    assert (found.line, reason in found.en) == (1, True)


def test_cores_of_pbs_are_the_most_that_it_says():
    torque = PBS.replace("ncpus=8", "ncpus=1").replace("n1/0*4+n2/0*4", "n1/0-3,8-9+n2/0")
    assert (one(pbs, torque).cores, one(pbs, torque).requested_cores) == (7, 1)
    large = PBS.replace("ncpus=8", "ncpus=64").replace("n1/0*4+n2/0*4", "n1/0")
    assert one(pbs, large).cores == 64
    silent = PBS.replace("Resource_List.ncpus=8 ", "").replace("exec_host=n1/0*4+n2/0*4 ", "")
    assert "cores" in one(pbs, silent).en
    cards = PBS.replace("Resource_List.ngpus=2", "exec_gpus=n1-gpu/0+n1-gpu/1+n2-gpu/0")
    assert one(pbs, cards).gpus == 3


@pytest.mark.parametrize(
    ("said", "gpus"),
    [
        ("Resource_List.select=2:ncpus=4:ngpus=2+1:ncpus=1:ngpus=1", 5),
        ("Resource_List.select=ncpus=4:ngpus=2:mem=4gb", 2),
        ("exec_vnode=(n1:ncpus=4:ngpus=1)+(n2:ncpus=2:ngpus=1+n3:ncpus=2:ngpus=2) Resource_List.select=2:ngpus=2", 4),
        ("Resource_List.nodes=2:ppn=4:gpus=3+n9:ppn=1:gpus=1", 7),
        ("Resource_List.select=2:ncpus=4 Resource_List.nodes=2:ppn=4", 0),
        ("Resource_List.ngpus=1 Resource_List.select=2:ngpus=2", 1),
    ],
)
def test_cards_of_pbs_that_stand_only_in_chunks_are_counted(said, gpus):
    assert one(pbs, PBS.replace("Resource_List.ngpus=2", said)).gpus == gpus


def test_cards_of_pbs_that_are_no_number_are_told():
    assert "whole number" in one(pbs, PBS.replace("Resource_List.ngpus=2", "exec_vnode=(n1:ngpus=two)")).en


def test_what_grid_engine_and_pbs_do_not_say_is_no_figure():
    assert one(gridengine, grid()).unsaid == {"qos", "nodes", "memory_bytes", "resources"}
    assert one(pbs, PBS).unsaid == {"qos", "resources"}
    silent = PBS.replace("exec_host=n1/0*4+n2/0*4 Resource_List.mem=16gb ", "")
    assert one(pbs, silent).unsaid == {"qos", "memory_bytes", "node_list", "resources"}


def test_a_log_tells_licences_and_slices_as_accounting_does():
    had = "billing=64,cpu=64,gres/gpu=9,gres/gpu:1g.5gb=8,license/matlab=3,mem=256G,node=2"
    found = one(slurm, sacct(AllocTRES=had))
    assert dict(found.resources) == {"gpu_slices.1g.5gb": 8, "licence.matlab": 3}
    assert (found.gpus, accounted(found).resources) == (1, found.resources)


def test_a_source_that_tells_no_resources_says_so():
    silent = one(gridengine, grid()), one(pbs, PBS), one(slurm, sacct(AllocTRES=""))
    assert ["resources" in accounted(found).unsaid for found in silent] == [True] * 3
    assert (one(slurm, sacct()).resources, one(slurm, sacct()).unsaid) == ({}, set())


@pytest.mark.parametrize("said", ["license/matlab=-1", "license/matlab=1.5.2", "gres/fpga=x"])
def test_a_licence_that_is_no_number_is_not_understood(said):
    (found,) = slurm.read([sacct(AllocTRES=f"cpu=64,{said}")])
    assert isinstance(found, Unreadable)


HEADER = "|".join(slurm.COLUMNS) + "\n"
BAD = "no log\n"


@pytest.mark.parametrize(
    ("lines", "format_"),
    [
        ([sacct()], "sacct"),
        ([HEADER], "sacct"),
        ([HEADER, sacct(NCPUS="many")], "sacct"),
        (["# a remark\n", "\n", grid()], "gridengine"),
        ([BAD, PBS], "pbs"),
        ([BAD], None),
        ([], None),
        (["# a remark\n"], None),
        ([sacct(), PBS], None),
    ],
)
def test_a_logs_first_lines_tell_its_format_or_do_not(lines, format_):
    assert format_of(lines) == format_
