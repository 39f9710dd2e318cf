"""`usage import`: a log is sent, taken in by a worker, and reported."""

import asyncio
import json
import lzma
from collections.abc import Iterator

import pytest
from tests.paracloud.dialects.log_lines import sacct

from paracloud.dialects.slurm.history import COLUMNS
from paracloud.kit.clock import SystemClock
from paracloud.worker.imports import take_in

WORDS = ("usage", "import", "--format", "sacct", "--centre", "east", "log")


@pytest.fixture
def worker(served, tmp_path) -> Iterator[None]:
    """Beside the server; `where` it finds the logs is the server's folder."""
    logs = served.house.app.state.deps.logs
    working = asyncio.run_coroutine_threadsafe(take_in(served.house.database, SystemClock(), logs.path), served._loop)
    yield
    working.cancel()


@pytest.fixture
def mapped(terminal, lin):
    """lin's records are the project's."""
    (terminal.home / "map.csv").write_text(f"user,project\nlin,{lin.project}\n")
    return terminal


def write(terminal, *lines: str, packed: bool = False) -> None:
    content = "".join(lines).encode()
    (terminal.home / "log").write_bytes(lzma.compress(content) if packed else content)


def day(**changes: str) -> str:
    """A run that is over when the log is handed in, by the clock of the house."""
    return sacct(**({"Start": "2026-06-01T08:00:00", "End": "2026-06-02T08:00:00"} | changes))


LINES = [day(JobID=str(number), JobIDRaw=str(number)) for number in range(1, 6)]


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_stored_once_and_then_reported_as_its_dry_run_was(mapped, boss, worker, packed):
    write(mapped, *LINES, packed=packed)
    first = json.loads(mapped.say(boss, *WORDS, "--map", "map.csv", "--json"))
    assert (first["state"], first["records"], first["new"], first["lines_not_understood"]) == ("done", 5, 5, [])
    again = json.loads(mapped.say(boss, *WORDS, "--map", "map.csv", "--json"))
    assert (again["new"], again["known"]) == (0, 5)
    dry = mapped.say(boss, *WORDS, "--dry-run", "--json")
    assert json.loads(mapped.say(boss, "usage", "report", "--json")) == json.loads(dry)


def run(job: str, hours: int, **changes: str) -> str:
    ended = {"End": f"2026-06-01T{8 + hours:02}:10:00", "Elapsed": f"{hours:02}:00:00"}
    return sacct(JobID=job, JobIDRaw=job.partition("_")[0], **(ended | changes))


JUDGED = [
    run("1", 8), run("2", 3), run("1", 12), run("2", 3), run("3", 2), run("3", 4), run("3", 2),
    run("4", 9, NCPUS="100000001"), run("5", 9, JobName="pc-" + "0" * 32), run("6_[1-3]", 5), run("7", 9, State="FOO"),
    run("8", 9, User="wang"), run("2", 3, Submit="2026-06-01T07:00:00"),
]  # fmt: skip
"""Told again with other figures, impossible, the platform's own, several tasks, an unknown state, nobody's."""


def test_a_dry_run_judges_and_sums_as_the_import_does(mapped, boss, worker):
    write(mapped, *JUDGED)
    asked = ("--map", "map.csv", "--json")
    assert [mapped.run(boss, *WORDS, *asked, *more).returncode for more in (("--dry-run",), ())] == [1, 1]
    accepting = (*asked, "--accept-faults", "--leave-out")
    dry = mapped.run(boss, *WORDS, *accepting, "--dry-run")
    stored = mapped.run(boss, *WORDS, *accepting)
    assert json.loads(stored.stdout)["state"] == "done"
    report = json.loads(mapped.say(boss, "usage", "report", "--json"))
    assert json.loads(dry.stdout) == report
    assert [(row["jobs"], row["wall_hours"]) for row in report["rows"]] == [(7, 12 + 3 + 3 + 2 + 3 * 5)]
    for done in (dry, stored):
        assert done.returncode == 1
        assert [line.partition(":")[0] for line in done.stderr.splitlines()[:3]] == ["8", "11", "wang"]
        assert "wang: of no project: records 1, core-hours 576.000000" in done.stderr
    assert "repeated 4; not understood 2" in dry.stderr
    assert "2 executions are told again with other figures" in dry.stderr


def test_a_dry_run_says_whose_nobody_is_and_leaves_it_out_where_that_is_asked(mapped, boss):
    write(mapped, *LINES, day(JobID="9", JobIDRaw="9", User="wang"))
    left = [
        mapped.run(boss, *WORDS, "--dry-run", "--map", "map.csv", "--json", *more) for more in ((), ["--leave-out"])
    ]
    assert [one.returncode for one in left] == [1, 0]
    assert all(sum(row["jobs"] for row in json.loads(one.stdout)["rows"]) == 5 for one in left)


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ([], "The log is empty, or only a header"),
        (["|".join(COLUMNS) + "\n"], "The log is empty, or only a header"),
        ([sacct(JobID="1.batch")], "None of its 1 lines is an execution to be stored"),
    ],
)
def test_a_log_from_which_nothing_comes_is_remarked_upon(mapped, boss, worker, lines, said):
    write(mapped, *lines)
    for more in ((), ("--dry-run",)):
        done = mapped.run(boss, *WORDS, "--map", "map.csv", *more)
        assert (done.returncode, said in done.stderr) == (0, True)
    chinese = mapped.run(boss, *WORDS, "--map", "map.csv", language="zh_CN.UTF-8")
    assert "请确认" in chinese.stderr


def test_what_could_not_be_read_and_what_is_nobodys_is_said_in_full_and_nothing_is_stored(mapped, boss, worker):
    write(mapped, *LINES, day(NCPUS="many"), day(JobID="9", JobIDRaw="9", User="wang"))
    done = mapped.run(boss, *WORDS, "--map", "map.csv", "--json")
    assert done.returncode == 1
    said = json.loads(done.stdout)
    assert (said["state"], [one["line"] for one in said["lines_not_understood"]]) == ("refused", [6])
    assert said["unmapped"] == {"wang": {"records": 1, "core_hours": "1536.000000"}}
    assert "6: 'many'" in done.stderr
    assert "wang: of no project: records 1, core-hours 1536.000000" in done.stderr
    assert json.loads(mapped.say(boss, "usage", "report", "--json")) == {"rows": []}
    accepted = mapped.run(boss, *WORDS, "--map", "map.csv", "--accept-faults", "--leave-out")
    assert "done: 5 records; new 5" in accepted.stdout
    assert "not understood 1; of no project 1" in accepted.stdout


def test_an_import_may_be_handed_in_and_looked_at_later(mapped, boss):
    write(mapped, *LINES)
    said = json.loads(mapped.say(boss, *WORDS, "--map", "map.csv", "--no-wait", "--json"))
    assert (said["state"], said["is_final"]) == ("waiting", False)
    assert said["id"] in mapped.say(boss, "usage", "imports")
    assert "waiting" in mapped.say(boss, "usage", "import-status", said["id"])


@pytest.mark.parametrize(
    ("content", "why"),
    [
        ("login,project\n", "line 1: the header is"),
        ("user,project\nlin,physics\n", "line 2: a name and the id of a project"),
        ("user,project\nlin\n", "line 2: a name and the id of a project"),
        ("", "line 1: the header is"),
    ],
)
def test_a_map_that_cannot_be_meant_is_refused_with_its_line(mapped, boss, content, why):
    write(mapped, *LINES)
    (mapped.home / "map.csv").write_text(content)
    done = mapped.run(boss, *WORDS, "--map", "map.csv")
    assert done.returncode == 2
    assert why in " ".join(done.stderr.replace("│", " ").split())


def test_only_the_operator_takes_logs_in(mapped, lin):
    write(mapped, *LINES)
    done = mapped.run(lin, *WORDS, "--map", "map.csv")
    assert done.returncode != 0
    assert "Only the operator" in done.stderr
