import os
import subprocess
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.paracloud.dialects.gridengine.golden import NONCE, dialect, recorded

from paracloud.dialects.records import NativePhase
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Invalid

START = datetime.fromtimestamp(1795729000, UTC)
END = START + timedelta(hours=1)
LINE = (
    "cpu:n1:alice:alice:pc-{tag}:7:sge:0:1795729900:{start}:{end}:{failed}:{status}:10:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:0:"
    "NONE:defaultdepartment:{pe}:{slots}:{task}:0.1:0.0:0.0:{category}:0.000000:{pe_task}:0.0:0:0"
)
DELETED = (
    "1795729922:job_log:1795729922:deleted:9:{task}:NONE:{state}:alice:n1:0:1024:1795729915:{name}:alice:g::d:sge:x"
)


def line(**changes):
    values = {"tag": "0" * 31 + "1", "start": "1795729910", "end": "1795729920", "failed": "0", "status": "0"}
    values |= {"pe": "NONE", "slots": "1", "task": "0", "category": "-l h_rt=300", "pe_task": "NONE"}
    return LINE.format(**(values | changes))


def answer(*lines, mark="ran"):
    text = "".join(f"{NONCE} {mark} {one}\n" for one in lines)
    return Completed(0, f"noise\n{text}{NONCE} end\n".encode(), b"")


def account(completed, start=START, end=END):
    return told(completed, start, end).records


def told(completed, start=START, end=END):
    return dialect().account(start, end, ("alice", "bob")).parse(completed)


def window():
    return account(recorded("accounting-window"))


def record(tag_number):
    return [one for one in window() if one.tag == f"{tag_number:032x}"]


def test_a_job_on_cards_has_its_whole_usage_and_cards_count_for_the_job():
    (job,) = record(6)
    assert (job.cores, job.gpus, job.elapsed_seconds, job.queue, job.account) == (3, 2, 6, "gpu", "bob")


def test_memory_is_what_was_booked_a_slot_and_one_slot_is_on_one_host():
    (job,) = record(6)
    assert (job.memory_bytes, "memory_bytes" in job.unsaid, "nodes" in job.unsaid) == (3000 << 20, False, True)
    (plain,) = account(answer(line()))
    assert (plain.memory_bytes, "memory_bytes" in plain.unsaid, "nodes" in plain.unsaid) == (0, True, False)
    (one,) = account(answer(line(category="-l gpu=1,h_vmem=1.5G -pe mpi 2")))
    assert one.memory_bytes == 3 << 29


def test_how_a_job_ended_is_told_with_code_and_signal():
    ends = {number: [(one.phase, one.exit_code, one.exit_signal) for one in record(number)] for number in range(9, 13)}
    assert ends == {
        9: [(NativePhase.COMPLETED, 0, 0)],
        10: [(NativePhase.FAILED, 3, 0)],
        11: [(NativePhase.TIMEOUT, 137, 9)],
        12: [(NativePhase.FAILED, 139, 11)],
    }
    assert [one.phase for one in record(1)] == [NativePhase.CANCELLED]


def test_a_job_over_several_hosts_counts_once_with_all_its_slots():
    assert [(one.cores, one.core_seconds) for one in record(14)] == [(12, 24)]
    master, part = line(pe="mpi", slots="12"), line(pe="mpi", slots="1", pe_task="1.n2")
    assert [one.cores for one in account(answer(master, part))] == [12]


def test_array_tasks_are_counted_as_the_user_does():
    assert sorted(one.task_index for one in record(13)) == [0, 1, 2]
    by_hand = line(tag="x", task="3").replace("pc-x", "by-hand")
    assert [one.task_index for one in account(answer(by_hand))] == [3]


def test_what_was_deleted_before_it_ran_is_cancelled_with_no_usage():
    (held,) = record(3)
    assert (held.phase, held.native_id, held.core_seconds, held.started_at) == (
        NativePhase.CANCELLED,
        "5250002",
        0,
        None,
    )
    assert sorted((one.task_index, one.native_state) for one in record(2)) == [
        (0, "failed=100"),
        (2, "failed=100"),
        (4, "deleted"),
        (6, "deleted"),
    ]


def test_no_two_records_share_id_and_submit_time():
    assert set(Counter((one.record_id, one.submitted_at) for one in window()).values()) == {1}


def test_each_run_of_a_job_that_was_started_again_is_a_record_of_its_own():
    first, second = line(failed="24", end="1795729915"), line(start="1795729916")
    runs = account(answer(first, second))
    assert len({one.record_id for one in runs}) == 2
    assert [one.phase for one in runs] == [NativePhase.COMPLETED, NativePhase.NODE_FAILED]


def test_what_never_started_is_no_execution():
    assert account(answer(line(start="0", end="0", failed="25"))) == ()


def test_only_what_ended_in_the_window_is_returned_with_its_end_open():
    ended = datetime.fromtimestamp(1795729920, UTC)
    assert len(account(answer(line()), ended, END)) == 1
    assert account(answer(line()), START, ended) == ()


def test_times_in_milliseconds_are_understood():
    (one,) = account(answer(line(start="1795729910123", end="1795729920999")))
    assert one.elapsed_seconds == 10


@pytest.mark.parametrize(
    "bad",
    [
        "x",
        line(slots="many"),
        line(end="yesterday"),
        line(failed="?"),
        line(task="one"),
        line(slots="9" * 30),
        line(category="-l gpu=2e0"),
        line(category="-l h_vmem=" + "9" * 18 + "T"),
        line().replace(":alice:alice:", ":alice::"),
    ],
)
def test_a_line_that_is_not_understood_is_listed_and_keeps_no_other_out(bad):
    found = told(answer(line(), bad, line()))
    assert (len(found.records), [one.raw for one in found.unread]) == (2, [bad])


def test_of_a_line_that_is_not_understood_it_is_told_whose_it_is_where_that_can_be_read():
    ended = datetime.fromtimestamp(1795729920, UTC)
    bad = line(category="-l h_vmem=9X")
    (one,) = told(answer(bad)).unread
    assert (one.native_id, one.account, one.ended_at, one.en) == ("7", "alice", ended, "'9X' is no size")
    assert told(answer(bad), START, ended).unread == ()
    (one,) = told(answer("x")).unread
    assert (one.native_id, one.account, one.ended_at) == (None, None, None)
    (one,) = told(answer(DELETED.format(task="x", state="", name="y"), mark="log")).unread
    assert (one.native_id, one.account, one.ended_at.timestamp()) == ("9", "alice", 1795729922)


@pytest.mark.parametrize("how", ["0x400K", "1048576", "1024K"])
def test_memory_counts_however_it_was_asked_for_and_wherever_it_stands(how):
    (one,) = account(answer(line(category=f"-l arch=*|{'x' * 5000}:0.0:NONE:0.0:0:0,h_vmem={how}")))
    assert one.memory_bytes == 1 << 20


def test_who_may_have_written_a_line_is_told_by_the_one_before_it():
    plain = line(category="NONE")
    assert (
        told(answer(plain, line(category="-l arch=lx").replace("alice:alice", "bob:bob"))).records[0].account == "bob"
    )
    before = answer(plain, mark="ran").stdout[: -len(f"{NONCE} end\n")]
    for owner, is_read in (("mallory", False), ("alice", True)):
        head = line(category="-soft -l arch=a").replace(":alice:pc", f":{owner}:pc")
        text = before + f"{NONCE} before {head}\n{NONCE} end\n".encode()
        assert len(told(Completed(0, text, b"")).records) == int(is_read)


@pytest.mark.parametrize("cut", [2, 3, 30, 300])
def test_an_answer_that_was_cut_is_broken(cut):
    with pytest.raises(Broken):
        account(Completed(0, recorded("accounting-window").stdout[:-cut], b""))


def test_a_cell_that_is_not_there_is_broken_and_says_what_to_set():
    with pytest.raises(Broken, match="SGE_ROOT"):
        account(Completed(66, b"", b"no Grid Engine cell at /nowhere/default/common: set SGE_ROOT and SGE_CELL"))


@pytest.mark.parametrize("word", ["", "-x", "a b", "a\nb"])
def test_ids_and_accounts_that_could_be_read_as_something_else_are_refused(word):
    with pytest.raises(Invalid):
        dialect().account_of([word])
    with pytest.raises(Invalid):
        dialect().account(START, END, [word])


class Cell:
    """The two files of a cell, and the dialect's own program over them."""

    def __init__(self, root: Path) -> None:
        self.common = root / "default/common"
        self.common.mkdir(parents=True)
        (self.common / "act_qmaster").touch()
        self.environment = {"PATH": os.environ["PATH"], "SGE_ROOT": str(root)}

    def write(self, *lines: str, name: str = "accounting") -> None:
        (self.common / name).write_text("# Version: 8.1.9\n" + "".join(f"{one}\n" for one in lines))

    def ask(self, command):
        done = subprocess.run(
            command.argv, input=command.stdin, env=self.environment, capture_output=True, check=False, timeout=30
        )
        return command.parse(Completed(done.returncode, done.stdout, done.stderr))


@pytest.fixture
def cell(tmp_path):
    return Cell(tmp_path)


def test_a_cell_whose_first_job_has_not_ended_has_no_records(cell):
    assert list(cell.ask(dialect().account(START, END, ["alice"]))) == []


def test_a_folder_that_is_no_cell_is_not_taken_for_an_empty_one(cell):
    (cell.common / "act_qmaster").unlink()
    with pytest.raises(Broken, match="SGE_ROOT"):
        cell.ask(dialect().account(START, END, ["alice"]))


def test_only_the_accounts_that_are_asked_for_are_read(cell):
    other = line().replace(":alice:alice:", ":staff:bobby:")
    cell.write(line(), other)
    cell.write(DELETED.format(task=0, state="", name="x"), name="reporting")
    assert [one.account for one in cell.ask(dialect().account(START, END, ["alice"]))] == ["alice", "alice"]
    assert [one.account for one in cell.ask(dialect().account(START, END, ["bobby"]))] == ["bobby"]
    assert list(cell.ask(dialect().account(START, END, ["ali"]))) == []


def test_jobs_are_found_by_number_however_long_ago_they_ended(cell):
    new = line(start="1895729910", end="1895729920").replace(":7:sge:", ":8:sge:")
    cell.write(line(), *[new] * 1500)
    assert [one.native_id for one in cell.ask(dialect().account_of(["7"]))] == ["7"]


def test_a_line_that_came_late_does_not_hide_what_was_written_before_it(cell):
    late = [line(start="1790000000", end="1790000010")] * 50
    cell.write(line(), *late, line(start="1795729911"))
    assert len(cell.ask(dialect().account(START, END, ["alice"]))) == 2


def test_a_job_that_ended_after_it_ran_is_not_deleted_a_second_time(cell):
    cell.write(DELETED.format(task=0, state="T", name="x"), name="reporting")
    assert list(cell.ask(dialect().account_of(["9"]))) == []


def test_a_line_that_is_still_being_written_is_broken_and_read_when_it_is_whole(cell):
    cell.write(line())
    with (cell.common / "accounting").open("a") as file:
        file.write(line()[:80])
    with pytest.raises(Broken, match="being written"):
        cell.ask(dialect().account(START, END, ["alice"]))


def test_nobody_bills_another_by_a_line_break_in_a_request(cell):
    """As Grid Engine 8.1.9 writes it: `qsub -soft -l $'arch=a:0.0:NONE:0.0:0:0\\ncpu:n1:…:NONE'`."""
    forged = line(category="NONE", slots="900").replace(":7:sge:", ":9:sge:").removesuffix(":0.000000:NONE:0.0:0:0")
    mallory = line(category=f"-soft -l arch=a:0.0:NONE:0.0:0:0\n{forged}").replace("alice", "mallory", 1)
    mallory = mallory.replace(":alice:", ":mallory:", 1)
    for lines in ([line(), mallory], [line(), mallory, line(category="NONE")]):
        cell.write(*lines)
        found = cell.ask(dialect().account(START, END, ["alice"]))
        assert {(one.native_id, one.cores) for one in found} == {("7", 1)}
        assert len(found) == 1, "what stands behind a free text of another's may be it too"
        assert "9" in {one.native_id for one in found.unread}


def test_a_line_without_requests_is_judged_by_the_line_before_however_far_that_is(cell):
    plain, old = line(category="NONE"), [line(category="NONE", start="1790000000", end="1790000010")] * 600
    asks = line(category="-l arch=x").replace(":alice:alice:", ":m:mallory:")
    for before, records in (([], 3), ([asks], 0), ([asks, *old], 0), ([asks, line()], 4), ([line(), *old], 3)):
        cell.write(*before, plain, plain, plain)
        assert len(cell.ask(dialect().account(START, END, ["alice"]))) == records
