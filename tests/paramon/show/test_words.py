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
from tests.paramon.show.pages import ROOT, a_job, paramon, shown

from paramon.sensors.infiniband import COUNTERS
from paramon.sensors.network import COLUMNS
from paramon.sensors.pressure import RESOURCES
from paramon.short_lived import WHAT
from paramon.show.series_words import WORDS
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
    assert alone.stderr == f"paramon: {tmp_path}/�[31mfolder.paramon: this is no regular file\n"
    a_job(tmp_path).close()
    for command in (("show",), ("show", "--json"), ("export", "--csv"), ("top",), ("top", "--once")):
        done = paramon(*command, tmp_path)
        assert (done.returncode, "a.out" in done.stdout) == (0, True), done.stderr
        told = "4 files are damaged or no profile, and left out: �[31mfolder.paramon, empty.paramon, loop.paramon …"
        assert done.stderr == f"paramon: {told}\n"


@pytest.mark.parametrize("command", [("show",), ("export", "--csv"), ("top",), ("top", "--once"), ("top", "--at", "1")])
def test_where_all_is_damaged_the_first_is_told_and_nothing_is_waited_for(tmp_path, command):
    (tmp_path / "empty.paramon").touch()
    (tmp_path / "some.paramon").write_bytes(bytes(3000))
    for language, told in (("", ""), ("zh", f"{tmp_path}/empty.paramon：不是 paramon 采集文件\n")):
        done = paramon(*command, tmp_path, PARACLOUD_LANGUAGE=language)
        assert (done.returncode, done.stdout) == (2, "")
        assert done.stderr == f"paramon: {tmp_path}/empty.paramon: this is no profile of paramon\n{told}"
    (tmp_path / "empty.paramon").unlink()
    (tmp_path / "some.paramon").unlink()
    (tmp_path / "loop.paramon").symlink_to("loop.paramon")
    done = paramon(*command, tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == f"paramon: {tmp_path}/loop.paramon: Too many levels of symbolic links\n"


def test_a_copy_of_a_profile_is_left_out_and_the_longer_is_shown(tmp_path):
    whole = tmp_path / Path(a_job(tmp_path, boot="b", pid=7).close()).name
    (tmp_path / "a-copy.paramon").write_bytes(whole.read_bytes()[:-1])
    (tmp_path / "z-copy.paramon").write_bytes(whole.read_bytes())
    told = "2 files are copies of others, and left out: a-copy.paramon, z-copy.paramon"
    for command in (("show",), ("show", "--json"), ("export", "--csv"), ("top",), ("top", "--once")):
        done = paramon(*command, tmp_path)
        assert (done.returncode, done.stderr) == (0, f"paramon: {told}\n")
    assert [one["path"] for one in json.loads(paramon("show", "--json", tmp_path).stdout)["nodes"]] == [str(whole)]
    (tmp_path / "z-copy.paramon").unlink()
    assert "1 个重复的采集文件：a-copy.paramon" in paramon("show", tmp_path, PARACLOUD_LANGUAGE="zh").stderr


def test_what_two_collectors_wrote_at_once_is_no_copy_though_all_else_is_alike(tmp_path):
    paths = [a_job(tmp_path / str(pid), boot="b", pid=pid).close() for pid in (7, 8)]
    for number, path in enumerate(paths):
        (tmp_path / f"{number}.paramon").write_bytes(Path(path).read_bytes())
    done = paramon("show", "--json", tmp_path)
    assert (done.stderr, len(json.loads(done.stdout)["nodes"])) == ("", 2)


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
                assert "nottobehad:GPU:" + "".join(why.split()) in squeezed
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
        "1 look missed",
        "1 process must not be",
    ):
        assert part in text, part
    assert "1 node  1 process  1 running" in paramon("top", "--once", tmp_path).stdout


def of_a_node(text: str) -> str:
    """Its part of the page, on one line."""
    part = text.split("\n\n")[-2]
    return " ".join(part.split())


def test_a_nodes_series_are_told_in_words_of_either_language_and_zeros_are_not(tmp_path):
    made = Made(tmp_path)
    first = {"disk__sda__read_bytes": 7, "disk__sda__busy_ms": 5, "network__ib0__sent_errors": 9, "cores__full": 0,
             "pressure__cpu_some_us": 0, "gpu__0__sm_permille": 0, "gpu__0__mig__1__memory_used_kib": 2048,
             "gpu__0__throttled_by_power_us": 7, "gpu__0__throttle_reasons": 4,
             "gpu__0__process__77__memory_kib": 2048, "nfs__/home__write_rtt_ms": 1, "power__acpi_meter_mw": 90_000,
             "infiniband__mlx5_0__1__link_recoveries": 0, "odd__x__some_new_thing_bytes": 0}  # fmt: skip
    made.tick(0, **first)
    made.tick(2000, **{**first, "disk__sda__read_bytes": 7 + (4 << 20), "pressure__cpu_some_us": 500_000,
                       "nfs__/home__write_rtt_ms": 41, "exits__a_b__count": 6,
                       "gpu__0__throttled_by_power_us": 500_007, "odd__x__some_new_thing_bytes": 500,
                       "infiniband__mlx5_0__1__link_recoveries": 1})  # fmt: skip
    made.close()
    english = of_a_node(shown(tmp_path))
    assert "(0/s)" not in english, "of one look there is no rate"
    for part in ("disks sda read 4.0 MiB (2.0 MiB/s) ", "held up some waited for a CPU 0.50 s (25.0 %)",
                 "GPU 0 SM busy 0.0 % · slowed by its power limit 0.50 s (25.0 %) · process 77 memory 2.0 MiB GPU 0/1 "
                 "memory used 2.0 MiB", "NFS /home writes' time at the server 0.04 s",
                 "power acpi meter 90.0 W", "InfiniBand mlx5_0.1 link recoveries 1", "short-lived a_b runs 6",
                 "odd x some new thing 500 B"):  # fmt: skip
        assert part in english, part
    chinese = of_a_node(shown(tmp_path, is_chinese=True))
    for part in (
        "磁盘 sda 读 4.0 MiB",
        "受阻 部分任务等 CPU 0.50 s",
        "· 进程 77 显存 2.0 MiB",
        "NFS /home 写服务器耗时",
    ):
        assert part in chinese, part
    for zero in ("busy 0.00 s", "errors at", "more than 90", "MIG"):
        assert zero not in english


def test_every_series_of_the_sensors_has_words():
    for group, known in (
        ("infiniband", COUNTERS.values()), ("network", [name for _, name in COLUMNS]), ("exits", WHAT),
        ("disk", ["reads", "writes", "read_bytes", "written_bytes", "read_ms", "write_ms", "busy_ms"]),
        ("pressure", [f"{what}_{kind}_us" for what in RESOURCES for kind in ("some", "full")]),
    ):  # fmt: skip
        assert set(known) <= set(WORDS[group]), group


def test_a_file_that_is_named_as_a_folder_is_said_to_be_none(tmp_path):
    (tmp_path / "file").touch()
    for command in ("run", "top"):
        done = paramon(command, "--folder", tmp_path / "file", "--", "true")
        assert (done.returncode, "(Not a directory): name a folder with --folder." in done.stderr) == (2, True)
