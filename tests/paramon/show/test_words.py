"""What `paramon show` and its like say of what is odd: files that are none, outputs that are closed, one of a kind."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paramon.made import Made
from tests.paramon.show.test_show import ROOT, a_job, paramon, shown

from paramon.text import folded, width


def not_profiles(folder: Path) -> None:
    (folder / "empty.paramon").touch()
    (folder / "\x1b[31mfolder.paramon").mkdir()
    (folder / "loop.paramon").symlink_to("loop.paramon")
    os.mkfifo(folder / "pipe.paramon")


def test_what_is_no_profile_hides_no_other_in_its_folder_and_is_told(tmp_path):
    not_profiles(tmp_path)
    alone = paramon("show", tmp_path)
    assert (alone.returncode, alone.stdout) == (2, "")
    a_job(tmp_path).close()
    for command in (("show",), ("show", "--json"), ("export", "--csv"), ("top", "--once")):
        done = paramon(*command, tmp_path)
        assert (done.returncode, "a.out" in done.stdout) == (0, True), done.stderr
        if command[0] != "top":
            told = "4 files are damaged or no profile, and left out: �[31mfolder.paramon, empty.paramon, loop.paramon …"
            assert done.stderr == f"paramon: {told}\n"


def shell(line: str, *arguments, **environment):
    """As `paramon`, of a line of sh in which "$@" is it."""
    known = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "LC_ALL": "C.UTF-8",
        "PARACLOUD_LANGUAGE": "",
        **environment,
    }
    argv = ["sh", "-c", line, "sh", sys.executable, "-m", "paramon", *map(str, arguments)]
    return subprocess.run(argv, env=known, capture_output=True, timeout=60, check=False)


@pytest.mark.parametrize("command", [("show",), ("top", "--once"), ("show", "--json"), ("export", "--jsonl")])
def test_wherever_output_goes_what_cannot_be_shown_there_is_no_end(tmp_path, command):
    a_job(tmp_path, node="计算").close()
    done = shell('exec "$@"', *command, tmp_path, PYTHONIOENCODING="latin-1")
    assert (done.returncode, done.stderr) == (0, b"")
    if command[-1] == "--json":
        assert json.loads(done.stdout)["nodes"][0]["header"]["node"] == "计算"
    else:
        assert ("计算" if command[0] == "export" else "??").encode() in done.stdout
    for line, told in (('exec "$@" >&-', "Standard output is closed: there is nowhere to write to."),
                       ('exec "$@" > /dev/full', "No space left on device")):  # fmt: skip
        done = shell(line, *command, tmp_path)
        assert (done.returncode, done.stderr.decode()) == (2, f"paramon: {told}\n")
    assert shell('exec "$@" 2>&-', *command, tmp_path / "none").returncode == 2


def test_where_no_more_files_may_be_open_one_line_says_so(tmp_path):
    done = shell('ulimit -n 16; exec "$@"', "run", "--folder", tmp_path, "--", "true")
    assert (done.returncode, done.stderr.decode().count("\n")) == (2, 1)
    assert "Too many open files" in done.stderr.decode()


def test_into_a_pipe_nothing_of_a_reason_is_cut_and_columns_are_those_asked_for(tmp_path):
    why = "because of this and that, " * 12 + "and 因为没有空格的长句" * 9
    a_job(tmp_path, unavailable={"gpu": [why, why]}, command=["./a.out", "x" * 200]).close()
    for told, columns in (("", 120), ("90", 90), ("10", 60), ("wide", 120)):
        for command in (("show",), ("top", "--once"), ("top", "--once", "--plain")):
            done = paramon(*command, tmp_path, COLUMNS=told)
            assert max(map(width, done.stdout.splitlines())) in range(columns - 5, columns + 1), (command, told)
            if command[0] == "show":
                squeezed = "".join(done.stdout.split())
                assert "nottobehad:gpu:" + "".join(why.split()) in squeezed
                assert "…" not in done.stdout.split("About this profile")[1]


@given(st.text("a b因\u0301", max_size=60), st.integers(2, 20))
def test_what_is_folded_is_whole_and_no_wider(text, columns):
    lines = folded(text, columns)
    assert "".join("".join(lines).split()) == "".join(text.split())
    assert max(map(width, lines)) <= columns


def test_of_one_the_page_says_so(tmp_path):
    made = Made(tmp_path, usable_cores=1)
    made.comes(1)
    made.tick(0)
    made.tick(1000, {1: {"read_calls": 1, "read_chars": 5}})
    made.close(missed_ticks=1, denied_processes=1)
    text = shown(tmp_path)
    for part in (
        "· 1 core ·",
        "5 B in 1 call (",
        "1 at once in 1 process, at most",
        "1 tick missed",
        "1 process must not be",
    ):
        assert part in text, part
    assert "1 node  1 process  1 running" in paramon("top", "--once", tmp_path).stdout
