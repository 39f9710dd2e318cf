"""`usage import --dry-run`: old logs, read without a server."""

import json
import lzma

import pytest
from tests.paracloud.dialects.log_lines import sacct

from paracloud.dialects.slurm.history import COLUMNS


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
    bad = [sacct(NCPUS="many", JobName=f"n{number}") for number in range(30)]
    (offline.home / "log").write_text(sacct() + "".join(bad) + sacct(JobID="72", JobIDRaw="72")[:-3])
    done = imported(offline, "log", "--json")
    assert done.returncode == 1
    assert sum(row["jobs"] for row in json.loads(done.stdout)["rows"]) == 1
    *listed, last = done.stderr.splitlines()
    assert [line.partition(":")[0] for line in listed] == [str(number) for number in range(2, 33)]
    assert "the file ends in the middle of this line" in listed[-1]
    assert "execution 1; repeated 0; not understood 31" in last


@pytest.mark.parametrize("kept", [0, 4, 0.5, 0.99])
def test_a_packed_file_that_was_cut_is_refused_whole_with_its_line(offline, kept):
    rows = [sacct(JobID=str(number), JobName=f"{number * 7919 % 10**9:09d}") for number in range(1, 20000)]
    packed = lzma.compress("".join(rows).encode())
    (offline.home / "log.xz").write_bytes(packed[: int(kept * len(packed)) if kept < 1 else kept])
    done = imported(offline, "log.xz", "--json")
    assert (done.returncode, done.stdout, "cut" in done.stderr) == (1, "", True)
    line = int(done.stderr.partition("line ")[2].partition(":")[0])
    assert 1 <= line <= 20000
    assert (line > 1000) is (0 < kept < 1)


def test_every_stream_of_a_packed_file_is_summed_and_a_damaged_one_refuses_it(offline):
    first, second = (lzma.compress(sacct(JobID=job, JobIDRaw=job).encode()) for job in ("71", "72"))
    (offline.home / "log.xz").write_bytes(first + bytes(4) + second)
    assert sum(row["jobs"] for row in json.loads(imported(offline, "log.xz", "--json").stdout)["rows"]) == 2
    (offline.home / "log.xz").write_bytes(first + second[:-30])
    done = imported(offline, "log.xz", "--json")
    assert (done.returncode, done.stdout, "the compressed file is broken or cut" in done.stderr) == (
        1,
        "",
        True,
    )


@pytest.mark.parametrize("header", ["", "|".join(COLUMNS) + "\n"])
def test_what_marks_a_text_of_another_system_is_no_part_of_it(offline, header):
    text = header + sacct(JobName="中文")
    (offline.home / "log").write_bytes(b"\xef\xbb\xbf" + text.replace("\n", "\r\n").encode())
    done = imported(offline, "log", "--json")
    assert (done.returncode, "execution 1" in done.stderr) == (0, True), done.stderr


def test_a_dry_run_needs_neither_a_centre_nor_a_format(offline):
    (offline.home / "log").write_text(sacct())
    done = offline.run(None, "usage", "import", "--dry-run", "--report-by", "day", "--json", "log")
    assert (done.returncode, done.stdout) == (0, imported(offline, "log", "--json").stdout), done.stderr
    by_centre = offline.run(None, "usage", "import", "--dry-run", "--report-by", "centre", "log")
    assert (by_centre.returncode, "needs --centre" in by_centre.stderr) == (2, True)
    stored = offline.run(None, "usage", "import", "log")
    assert (stored.returncode, "--centre NAME" in stored.stderr) == (2, True)


@pytest.mark.parametrize(
    ("content", "why"),
    [(b"no log\n", "do not tell its format"), (bytes(range(256)), "do not tell its format"), (b"\xfd7zXZ\0\0", "cut")],
)
def test_a_log_of_no_clear_format_is_refused(offline, content, why):
    (offline.home / "log").write_bytes(content)
    done = offline.run(None, "usage", "import", "--dry-run", "log")
    assert (done.returncode, why in done.stderr, "Traceback" in done.stderr) == (2, True, False), done.stderr


def test_nothing_is_stored_yet(offline):
    (offline.home / "log").write_text(sacct())
    done = offline.run(None, "usage", "import", "--format", "sacct", "--centre", "east", "log")
    assert (done.returncode, "--dry-run" in done.stderr) == (2, True)


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
