"""Old accounting logs, whatever scheduler wrote them: no line is lost, and no text breaks a reader."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.dialects.log_lines import PBS, grid, one, sacct

from paracloud.dialects.gridengine import history as gridengine
from paracloud.dialects.histories import READERS, format_of
from paracloud.dialects.history import HistoryRecord, LeftOut, Unreadable, accounted
from paracloud.dialects.pbs import history as pbs
from paracloud.dialects.slurm import history as slurm


@pytest.mark.parametrize(
    ("reader", "line"), [(slurm, sacct()), (gridengine, grid()), (pbs, PBS)], ids=["sacct", "gridengine", "pbs"]
)
@pytest.mark.parametrize("share", [0.3, 0.6, 0.9, 1])
def test_a_file_that_was_cut_anywhere_says_so_at_its_last_line(reader, line, share):
    first, last = reader.read([line, line[: int(share * len(line)) - 1]])
    assert isinstance(first, HistoryRecord)
    assert (last.line, "ends in the middle" in last.en, "截断" in last.zh) == (2, True, True)


def test_a_record_is_what_accounting_would_have_told():
    for found in (one(slurm, sacct(JobID="71_5", JobIDRaw="76")), one(gridengine, grid()), one(pbs, PBS)):
        told = accounted(found)
        assert (told.native_id, told.record_id, told.task_index) == (found.native_id, found.usage_id, found.task_index)
        assert told.core_seconds == found.cores * found.elapsed_seconds
        assert (told.account, told.tag, told.raw, told.qos) == ("lin", None, found.raw, found.qos)
    assert accounted(one(slurm, sacct(QOS="urgent"))).qos == "urgent"


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
