"""`paramon export`: other programs read what was sampled, in three forms that say the same."""

import csv
import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import duckdb
import pytest
from tests.paramon.made import Made

from paramon.export.rows import STATE, process_rows, series_rows
from paramon.sample.fields import NAMES
from paramon.sample.profile import NodeProfile

STARTED_MS = 1_790_000_000_000
ROOT = Path(__file__).parents[3]
COMMAND = './a.out "quoted", new\nline 计算'


def environment(**more: str) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8", "PARACLOUD_LANGUAGE": "", **more}


def export(*arguments, **more: str) -> subprocess.CompletedProcess[str]:
    argv = [sys.executable, "-m", "paramon", "export", *map(str, arguments)]
    return subprocess.run(argv, env=environment(**more), capture_output=True, text=True, timeout=60, check=False)


@pytest.fixture
def profile(tmp_path) -> Path:
    """Two nodes; over the end of a minute; a process that ends."""
    for node in ("n2", "n1"):
        made = Made(tmp_path / "profile", node=node, started_ms=STARTED_MS)
        made.comes(1, rank=int(node[1:]), command=COMMAND)
        made.comes(2, name="short")
        made.tick(0, {1: {"user_ticks": 5}}, memory__free_kib=70)
        made.tick(1000)
        made.tick(2500, {1: {"user_ticks": 9}, 2: made.ends(2)})
        made.forget(2)
        made.minute()
        made.tick(3000, memory__free_kib=60)
        made.close()
    return tmp_path / "profile"


def read(query: str) -> list[tuple]:
    with duckdb.connect() as base:
        base.execute("SET TimeZone = 'UTC'")
        return base.sql(query).fetchall()


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_csv_has_a_row_where_something_changed_with_all_fields(profile):
    rows = rows_of(export("--csv", profile).stdout)
    assert list(rows[0]) == ["node", "job", "rank", "pid", "time", "start_ticks", "parent", "name", "command", *NAMES]
    one = [row for row in rows if row["node"] == "n1" and row["pid"] == "1001"]
    assert [row["time"][17:] for row in one] == ["20.000000Z", "22.500000Z", "23.000000Z"]
    assert [(row["rank"], row["user_ticks"], row["state"]) for row in one] == [
        ("1", "5", "R"),
        ("1", "9", "R"),
        ("1", "9", "R"),
    ]
    assert one[0]["command"] == COMMAND
    assert [row["state"] for row in rows if row["pid"] == "1002" and row["node"] == "n1"] == ["R", "X"]


def test_dense_has_a_row_at_each_tick_until_the_process_is_gone(profile):
    rows = [row for row in rows_of(export("--csv", "--dense", profile).stdout) if row["node"] == "n1"]
    assert [row["user_ticks"] for row in rows if row["pid"] == "1001"] == ["5", "5", "9", "9"]
    assert [row["state"] for row in rows if row["pid"] == "1002"] == ["R", "R", "X"]
    free = rows_of(export("--csv", "--dense", "--table", "series", profile).stdout)
    assert [row["value"] for row in free if row["node"] == "n1"] == ["70", "70", "70", "60"]


def test_jsonl_says_the_same(profile):
    told = [json.loads(line) for line in export("--jsonl", profile).stdout.splitlines()]
    assert [{key: "" if value is None else str(value) for key, value in row.items()} for row in told] == rows_of(
        export("--csv", profile).stdout
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_files_hold_both_tables(profile, tmp_path, kind):
    out = tmp_path / f"out.{kind}"
    done = export(f"--{kind}", profile, "-o", out)
    assert done.returncode == 0, done.stderr
    assert done.stderr.split() == [str(out), str(tmp_path / f"out.series.{kind}")]
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(["profile", out.name, f"out.series.{kind}"])
    assert read(f"SELECT count(*) FROM '{out}'") == [(10,)]
    assert read(f"SELECT count(*), sum(value)::INT FROM '{tmp_path}/out.series.{kind}'") == [(4, 260)]


def test_parquet_is_sorted_typed_and_the_same_as_csv(profile, tmp_path):
    export("--parquet", profile, "-o", tmp_path / "out.parquet")
    out = tmp_path / "out.parquet"
    rows = read(f"SELECT * REPLACE (time::TIMESTAMP AS time) FROM '{out}'")
    kinds = dict(read(f"SELECT column_name, column_type FROM (DESCRIBE FROM '{out}')"))
    assert read(f"SELECT epoch_us(time) FROM '{out}' LIMIT 1") == [(STARTED_MS * 1000,)]
    assert [row[0] for row in rows] == ["n1"] * 5 + ["n2"] * 5
    assert [row[3:5] for row in rows] == sorted([row[3:5] for row in rows[:5]]) * 2
    assert (kinds["time"], kinds["user_ticks"], kinds["name"]) == ("TIMESTAMP WITH TIME ZONE", "BIGINT", "VARCHAR")
    text = rows_of(export("--csv", profile).stdout)
    known = sorted((row["node"], row["pid"], row["time"], row["command"], row["user_ticks"]) for row in text)
    assert known == [
        (row[0], str(row[3]), f"{row[4]:%Y-%m-%dT%H:%M:%S.%fZ}", row[8], str(row[9])) for row in rows
    ]  # fmt: skip


def test_numbers_that_grow_are_kept_as_differences(tmp_path):
    made = Made(tmp_path / "profile")
    made.comes(1)
    for second in range(5000):
        made.tick(second * 1000, {1: {"user_ticks": second * 97}})
    made.close()
    export("--parquet", tmp_path / "profile", "-o", tmp_path / "out.parquet")
    columns = f"SELECT path_in_schema, encodings FROM parquet_metadata('{tmp_path}/out.parquet')"
    found = read(f"{columns} WHERE path_in_schema IN ('user_ticks', 'time')")
    assert {encodings for _, encodings in found} == {"DELTA_BINARY_PACKED"}


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_what_is_there_already_is_not_written_over_unless_asked(profile, tmp_path, kind):
    out = tmp_path / f"out.{kind}"
    out.write_text("precious")
    done = export(f"--{kind}", profile, "-o", out)
    assert (done.returncode, out.read_text()) == (2, "precious")
    assert "--force" in done.stderr
    assert export(f"--{kind}", profile, "-o", out, "--force").returncode == 0
    assert out.stat().st_size > 100


@pytest.mark.parametrize("kind", ["csv", "jsonl", "parquet"])
def test_where_the_disk_is_full_no_half_of_a_file_is_left(profile, tmp_path, kind):
    out = tmp_path / "full" / f"out.{kind}"
    out.parent.mkdir()
    argv = [sys.executable, "-m", "paramon", "export", f"--{kind}", str(profile), "-o", str(out)]
    limited = ["sh", "-c", 'ulimit -f 1; exec "$@"', "sh", *argv]  # half a KiB or one, by the shell
    done = subprocess.run(limited, env=environment(), capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "File too large" in done.stderr
    assert str(out) in done.stderr
    assert list(out.parent.iterdir()) == []


def test_standard_output_that_is_full_is_said_once(profile):
    argv = [sys.executable, "-m", "paramon", "export", "--csv", str(profile)]
    with open("/dev/full", "w") as full:
        done = subprocess.run(
            argv, env=environment(), stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, check=False
        )
    assert (done.returncode, done.stderr) == (2, "paramon: No space left on device\n")


def test_a_pipe_that_closes_is_the_end(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    for second in range(3000):
        made.tick(second * 1000, {1: {"user_ticks": second}})
    path = made.close()
    argv = [sys.executable, "-m", "paramon", "export", "--jsonl", path]
    pipe = subprocess.PIPE
    with subprocess.Popen(argv, env=environment(), stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdout.readline().startswith('{"node"')
        process.stdout.close()
        assert process.stderr.read() == ""
        assert process.wait(60) == 0


def test_without_duckdb_parquet_is_refused_with_how_to_get_it(profile, tmp_path):
    (tmp_path / "none" / "duckdb").mkdir(parents=True)
    (tmp_path / "none" / "duckdb" / "__init__.py").write_text("raise ImportError")
    path = f"{tmp_path / 'none'}:{ROOT / 'src'}"
    done = export("--parquet", profile, "-o", tmp_path / "out.parquet", PYTHONPATH=path)
    assert done.returncode == 2
    assert "pip install duckdb" in done.stderr
    assert not (tmp_path / "out.parquet").exists()
    assert export("--csv", profile, PYTHONPATH=path).returncode == 0


def test_a_command_of_any_bytes_is_exported(tmp_path):
    argv = [
        sys.executable,
        "-m",
        "paramon",
        "run",
        "--folder",
        str(tmp_path),
        "--",
        "sh",
        "-c",
        "sleep 1.5; true",
        b"\xff\xfe",
    ]
    subprocess.run(argv, env=environment(), timeout=60, check=True)
    done = export("--jsonl", tmp_path)
    assert done.returncode == 0
    assert any("sh -c sleep" in json.loads(row)["command"] for row in done.stdout.splitlines())


def test_a_process_that_is_gone_has_no_rows_any_more(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0)
    made.tick(1000, {1: made.ends(1)})
    made.forget(1)
    made.tick(2000)
    profile = NodeProfile(made.close())
    assert [row[STATE] for row in process_rows(profile, is_dense=True)] == ["R", "X"]
    assert profile.processes == {}, "nor is anything kept of it: there may be millions"
    assert list(series_rows(profile, is_dense=False)) == []
    assert profile.processes == {}


def test_the_guides_query_adds_up_all_processes_of_a_rank(tmp_path):
    made = Made(tmp_path / "profile")
    for number, rank, ticks in ((1, 0, 300), (2, 0, 200), (3, 1, 400)):
        made.comes(number, rank=rank)
        made.tick(number * 1000, {number: {"user_ticks": ticks}})
    made.close()
    export("--parquet", tmp_path / "profile", "-o", tmp_path / "run.parquet")
    guide = (ROOT / "guides" / "paramon.md").read_text()
    (query,) = re.findall(r"^(WITH .*?;)", guide, re.MULTILINE | re.DOTALL)
    assert read(query.replace("run.parquet", str(tmp_path / "run.parquet"))) == [(0, 5.0), (1, 4.0)]
