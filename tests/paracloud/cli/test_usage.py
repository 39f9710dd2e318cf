"""`usage import --dry-run`: old logs, read without a server."""

import json
import lzma

import pytest
from tests.paracloud.dialects.test_history import sacct


@pytest.fixture
def offline(terminal):
    """Nobody is logged in, and nothing listens."""
    terminal.url = "http://127.0.0.1:9"
    return terminal


def imported(offline, file: str, *words: str):
    return offline.run(None, "usage", "import", "--format", "sacct", "--centre", "east", "--dry-run", *words, file)


@pytest.mark.parametrize("packed", [False, True])
def test_a_log_is_summed_by_day(offline, packed):
    text = (sacct() + sacct(JobID="72", JobIDRaw="72") + sacct(JobID="71.0") + sacct()).encode()
    (offline.home / "log").write_bytes(lzma.compress(text) if packed else text)
    done = imported(offline, "log", "--report-by", "day", "--json")
    assert done.returncode == 0, done.stderr
    rows = json.loads(done.stdout.splitlines()[-1])["rows"]
    assert [(row["day"], row["jobs"]) for row in rows] == [("2026-06-01", 0), ("2026-06-02", 2)]
    assert rows[0]["core_hours"] == round(2 * 64 * (15 + 5 / 6), 6)
    assert rows[0]["gpu_hours"] + rows[1]["gpu_hours"] == pytest.approx(2 * 8 * 24)
    assert "execution 3, step 1; repeated 1; not understood 0" in done.stderr


def test_lines_that_cannot_be_read_are_named_and_the_others_count(offline):
    (offline.home / "log").write_text(sacct() + sacct(NCPUS="many") + "half a line")
    done = imported(offline, "log", "--json")
    assert done.returncode == 1
    assert sum(row["jobs"] for row in json.loads(done.stdout)["rows"]) == 1
    assert [line.partition(":")[0] for line in done.stderr.splitlines()[-2:]] == ["2", "3"]
    assert "not understood 2" in done.stderr


def test_a_packed_file_that_was_cut_is_refused_whole(offline):
    packed = lzma.compress((sacct() * 5000).encode())
    (offline.home / "log.xz").write_bytes(packed[: len(packed) // 2])
    done = imported(offline, "log.xz", "--json")
    assert (done.returncode, done.stdout, "cut" in done.stderr) == (2, "", True)


@pytest.mark.parametrize(
    "words",
    [
        ["--format", "lsf"],
        ["--report-by", "week"],
    ],
)
def test_what_cannot_be_asked_is_refused(offline, words):
    (offline.home / "log").write_text(sacct())
    done = imported(offline, "log", *words)
    assert (done.returncode, "Traceback" in done.stderr) == (2, False)
