import os
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from tests.paracloud.dialects.pbs.golden import NONCE, OPENPBS, TORQUE, asked, dialect, recorded

from paracloud.dialects.records import NativePhase
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Invalid, Unreachable

START = datetime.fromtimestamp(1795466630, UTC)
END = START + timedelta(hours=1)
ACCOUNTS = ("alice", "bob")
WINDOWS = [(OPENPBS, "history-window"), (OPENPBS, "logs-window"), (TORQUE, "kept-window")]
LINE = (
    "11/24/2026 04:44:55;E;7.pbs1;user=alice group=alice jobname=x queue=workq ctime=1795466630 qtime=1795466630 "
    "etime=1795466630 start=1795466635 exec_host=n1/0*2 Resource_List.ncpus=2 Resource_List.walltime=00:10:00 "
    "session=4 end=1795466695 Exit_status=0 resources_used.walltime=00:01:00 run_count=1\n"
)


def account(flavour, answer):
    return dialect(flavour).account(START, END, ACCOUNTS).parse(answer)


def logs(*lines):
    return Completed(0, f"\n{NONCE} logs\n{''.join(lines)}\n{NONCE} end\n".encode(), b"")


def by_tag(records):
    return {(int(one.tag, 16), one.task_index): one for one in records}


@pytest.mark.parametrize(("flavour", "name"), WINDOWS)
def test_the_golden_window_answers_the_command_that_is_sent(flavour, name):
    sent = dialect(flavour).account(START, END, ACCOUNTS).argv
    assert asked(flavour, name)["command"][3:] == list(sent[3:])


@pytest.mark.parametrize(("flavour", "name"), WINDOWS)
def test_a_completed_job_has_its_times_cores_and_memory(flavour, name):
    one = by_tag(account(flavour, recorded(flavour, name)))[11, None]
    assert (one.phase, one.exit_code, one.account, one.elapsed_seconds) == (NativePhase.COMPLETED, 0, "alice", 60)
    assert (one.cores, one.nodes, one.gpus, one.memory_bytes, one.node_list) == (2, 1, 0, 2000 << 20, "n1")
    assert (one.submitted_at, one.started_at) == (START, START + timedelta(seconds=5))


@pytest.mark.parametrize(("flavour", "name"), WINDOWS)
def test_a_job_that_failed_has_its_exit_code(flavour, name):
    one = by_tag(account(flavour, recorded(flavour, name)))[12, None]
    assert (one.phase, one.exit_code) == (NativePhase.FAILED, 3)


@pytest.mark.parametrize(("flavour", "name"), WINDOWS)
def test_a_job_over_its_limit_timed_out_though_its_status_is_that_of_a_deleted_one(flavour, name):
    assert by_tag(account(flavour, recorded(flavour, name)))[14, None].phase is NativePhase.TIMEOUT


@pytest.mark.parametrize(("flavour", "name"), [(OPENPBS, "history-window"), (TORQUE, "kept-window")])
def test_a_job_that_was_deleted_while_it_waited_used_nothing(flavour, name):
    one = by_tag(account(flavour, recorded(flavour, name)))[13, None]
    assert (one.phase, one.started_at, one.elapsed_seconds) == (NativePhase.CANCELLED, None, 0)
    assert (one.cores, one.nodes, one.memory_bytes, one.core_seconds) == (0, 0, 0, 0)
    assert one.ended_at == START + timedelta(seconds=20)


def test_a_job_whose_end_is_not_told_ended_when_it_had_used_what_it_used():
    one = by_tag(account(OPENPBS, recorded(OPENPBS, "history-window")))[15, None]
    assert (one.phase, one.elapsed_seconds) == (NativePhase.CANCELLED, 30)


@pytest.mark.parametrize(("flavour", "name", "cores"), [(OPENPBS, "history-window", 16), (TORQUE, "kept-window", 4)])
def test_cards_and_nodes_are_counted(flavour, name, cores):
    one = by_tag(account(flavour, recorded(flavour, name)))[16, None]
    assert (one.cores, one.nodes, one.gpus, one.node_list) == (cores, 2, 4, "g1,g2")


def test_the_tasks_of_an_array_are_told_under_its_own_id_and_the_whole_of_it_is_not():
    found = account(OPENPBS, recorded(OPENPBS, "history-window"))
    tasks = [one for one in found if one.native_id == "41047[]"]
    assert [(one.task_index, one.record_id, one.phase) for one in tasks] == [
        (1, "41047[1]", NativePhase.COMPLETED),
        (2, "41047[2]", NativePhase.FAILED),
        (3, "41047[3]", NativePhase.CANCELLED),
    ]
    assert [one.core_seconds for one in tasks] == [20, 20, 0]


def test_logs_and_history_meter_an_execution_under_the_same_key():
    keys = [
        {(one.native_id, one.record_id, one.submitted_at) for one in account(OPENPBS, recorded(OPENPBS, name))}
        for name in ("logs-window", "history-window")
    ]
    assert keys[0] < keys[1]
    assert len(keys[0]) == 5


def test_what_is_in_both_is_told_once_and_what_never_ran_by_the_history():
    found = dialect(OPENPBS).account_of(["41041", "41043", "41047[]"]).parse(recorded(OPENPBS, "logs-jobs"))
    assert [(one.native_id, one.started_at is None) for one in found] == [("41041", False), ("41043", True)]
    assert found[0].raw.startswith("11/24/2026")


def test_an_id_that_accounting_does_not_know_is_absent():
    found = dialect(OPENPBS).account_of(["41041", "41047[]", "41099"]).parse(recorded(OPENPBS, "history-jobs"))
    assert {one.native_id for one in found} == {"41041", "41047[]"}


def test_only_what_was_asked_for_is_told():
    found = dialect(OPENPBS).account_of(["41041"]).parse(recorded(OPENPBS, "history-jobs"))
    assert {one.native_id for one in found} == {"41041"}


def test_a_server_without_history_is_told_to_keep_one_and_hides_no_logs():
    said = b"qselect: PBS is not configured to maintain job history\n"
    with pytest.raises(Broken, match="maintain job history"):
        account(OPENPBS, Completed(1, b"", said))
    whole = replace(logs(LINE), exit_status=1, stderr=said.replace(b"qselect", b"qstat"))
    assert [one.native_id for one in dialect(OPENPBS).account_of(["7"]).parse(whole)] == ["7"]


def test_a_task_that_torque_calls_by_a_name_of_its_own_carries_the_tag_of_its_array():
    one = by_tag(account(TORQUE, recorded(TORQUE, "kept-window")))[17, 1]
    assert (one.native_id, one.record_id) == ("47[]", "47[1]")


def test_jobs_that_have_not_ended_are_no_records():
    assert [one.record_id for one in account(OPENPBS, recorded(OPENPBS, "qstat"))] == ["41032[2]"]


@pytest.mark.parametrize(("flavour", "name"), WINDOWS)
def test_windows_that_meet_have_each_record_once(flavour, name):
    answer, middle = recorded(flavour, name), START + timedelta(seconds=65)
    halves = [dialect(flavour).account(*window, ACCOUNTS).parse(answer) for window in ((START, middle), (middle, END))]
    assert all(halves)
    whole = sorted(one.record_id for one in account(flavour, answer))
    assert sorted(one.record_id for half in halves for one in half) == whole


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("end=1795466695", "end=soon"),
        LINE.replace("Exit_status=0", "Exit_status=none"),
        LINE.replace("user=alice ", ""),
        LINE.replace("7.pbs1", "seven"),
        LINE.replace(";E;7.pbs1", ""),
        LINE.replace("exec_host=n1/0*2 Resource_List.ncpus=2 ", ""),
        LINE.replace("ncpus=2", "ncpus=" + "9" * 30),
        LINE.replace("00:10:00", "long"),
    ],
)
def test_a_line_that_is_not_understood_is_listed_and_keeps_no_other_out(line):
    found = account(OPENPBS, logs(LINE, line, LINE.replace("7.pbs1", "8.pbs1")))
    assert ([one.native_id for one in found], [one.raw for one in found.unread]) == (["7", "8"], [line.rstrip()])


def test_of_a_line_that_is_not_understood_it_is_told_whose_it_is_where_that_can_be_read():
    (one,) = account(OPENPBS, logs(LINE.replace("ncpus=2", "ncpus=zz"))).unread
    assert (one.native_id, one.account, one.ended_at) == ("7", "alice", datetime.fromtimestamp(1795466695, UTC))
    assert "zz" in one.en


@pytest.mark.parametrize(
    "text", ["x total_execution_slots=zz", "x Resource_List.mem= y", "x Resource_List.ngpus= start=1"]
)
def test_what_an_account_says_in_quotes_is_no_figure(text):
    """As OpenPBS writes the word of `qsub -A`."""
    found = account(OPENPBS, logs(LINE.replace("jobname=x", f'account="{text}" jobname=x')))
    assert [(one.cores, one.elapsed_seconds, found.unread) for one in found] == [(2, 60, ())]


@pytest.mark.parametrize(
    "line",
    [
        LINE.replace("jobname=x", 'account="x" total_execution_slots=1 y="" jobname=x'),
        LINE.replace("jobname=x", "account=x end=1795466636 jobname=x"),
        LINE.replace("jobname=x", "account=x queue=cheap ctime=1795466630 jobname=x"),
        LINE.replace("session=4", "Resource_List.software=a start=1795466694 session=4"),
        LINE.replace("session=4", "Resource_List.software=a Resource_List.ncpus=1 session=4"),
        LINE.replace("jobname=x", 'jobname="x'),
    ],
)
def test_figures_that_a_user_may_have_written_are_listed_never_believed(line):
    found = account(OPENPBS, logs(line, LINE.replace("7.pbs1", "8.pbs1")))
    assert ([one.native_id for one in found], [(one.native_id, one.account) for one in found.unread]) == (
        ["8"],
        [("7", "alice")],
    )


def test_cards_that_were_given_are_not_hidden_by_a_figure_of_none():
    given = "exec_vnode=(n1:ncpus=2:ngpus=2) Resource_List.ngpus=0 session=4"
    (one,) = account(OPENPBS, logs(LINE.replace("session=4", given)))
    assert one.gpus == 2


def test_an_answer_without_its_end_is_broken():
    whole = logs(LINE)
    for cut in range(2, len(whole.stdout), 40):
        with pytest.raises(Broken):
            account(OPENPBS, replace(whole, stdout=whole.stdout[:-cut]))


@pytest.mark.parametrize("flavour", [OPENPBS, TORQUE])
def test_a_silent_server_is_unreachable(flavour):
    with pytest.raises(Unreachable):
        account(flavour, recorded(flavour, "qstat-silent"))


def test_an_id_that_no_pbs_gives_is_refused():
    for id_ in ("7;rm", "7[3]", "x", ""):
        with pytest.raises(Invalid):
            dialect(OPENPBS).account_of([id_])


@pytest.fixture
def login(tmp_path):
    """A login node on which the server's logs can be read, and qselect tells of two jobs."""
    folder = tmp_path / "spool/server_priv/accounting"
    folder.mkdir(parents=True)
    (folder / "20261124").write_text(
        LINE
        + LINE.replace("user=alice", "user=mallory").replace("7.pbs1", "8.pbs1")
        + LINE.replace(";E;", ";S;")
        + LINE.replace("jobname=x", "jobname=;E;9.pbs1").replace(";E;7.", ";Q;7.")
        + LINE.replace("7.pbs1", "9[2].pbs1").replace("user=alice", "user=bob")
    )
    (folder / "20261201").write_text(LINE.replace("7.pbs1", "17.pbs1"))
    (tmp_path / "pbs.conf").write_text(f"PBS_SERVER=pbs1\nPBS_HOME={tmp_path}/spool\n")
    (tmp_path / "bin").mkdir()
    for name, text in (("qselect", "echo 7.pbs1; echo '9[].pbs1'"), ("qstat", 'echo "$TZ $*" >&2; echo "$ANSWER"')):
        (tmp_path / "bin" / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / "bin" / name).chmod(0o755)

    def run(command, answer=""):
        environment = {
            "PATH": f"{tmp_path}/bin:{os.environ['PATH']}",
            "PBS_CONF_FILE": str(tmp_path / "pbs.conf"),
            "ANSWER": answer,
        }
        done = subprocess.run(
            command.argv, input=command.stdin, env=environment, capture_output=True, timeout=30, check=False
        )
        return Completed(done.returncode, done.stdout, done.stderr)

    return run


def test_of_the_logs_only_these_accounts_days_and_ends_are_read(login):
    command = dialect(OPENPBS).account(START, END, ACCOUNTS)
    done = login(command)
    assert [one.record_id for one in command.parse(done)] == ["7", "9[2]"]
    assert b"mallory" not in done.stdout
    assert b";S;" not in done.stdout


def test_of_the_logs_the_ids_are_picked_whatever_the_day(login):
    command = dialect(OPENPBS).account_of(["9[]", "17"])
    done = login(command, '{"timestamp":1,"pbs_version":"23"}')
    assert [one.record_id for one in command.parse(done)] == ["9[2]", "17"]
    assert b"UTC0 -x -f -F json -t 9[] 17" in done.stderr


def test_where_the_logs_cannot_be_read_the_history_is_asked(login, tmp_path):
    (tmp_path / "pbs.conf").write_text(f"PBS_HOME={tmp_path}/elsewhere\n")
    command = dialect(OPENPBS).account(START, END, ACCOUNTS)
    done = login(command, recorded(OPENPBS, "history-window").stdout.decode().split(NONCE)[1])
    assert len(command.parse(done)) == 9
    assert b"UTC0 -x -f -F json -t 7.pbs1 9[].pbs1" in done.stderr


def test_however_many_are_asked_for_it_is_one_command(login):
    ids = [str(number) for number in range(1, 3001)]
    command = dialect(OPENPBS).account_of(ids)
    done = login(command, '{"timestamp":1,"pbs_version":"23"}')
    assert (command.cost, done.stderr.count(b"UTC0 -x")) == (1, 1)
    assert [one.record_id for one in command.parse(done)] == ["7", "8", "17"]
