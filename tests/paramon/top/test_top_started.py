"""`paramon top` of a command that it starts, and of a process that runs already."""

import os
import signal
import subprocess
import sys

import pytest
from tests.paramon.ran import IGNORES, everybody
from tests.paramon.top.played import top
from tests.paramon.top.screen import Screen, environment

from paramon.sample.profile import open_profile


def test_a_command_is_watched_and_its_exit_code_is_tops(tmp_path):
    done = top("--every", "0.3", "--folder", tmp_path, "--", "sh", "-c", "echo out; sleep 1.5; exit 7")
    assert done.returncode == 7
    assert "sleep 1.5" in done.stdout
    (output,) = tmp_path.glob("output-*.txt")
    assert output.read_text() == "out\n"
    assert len(list(tmp_path.glob("*.paramon"))) == 1


def test_where_ends_of_children_are_ignored_a_command_is_watched_all_the_same_and_ignores_them_too(tmp_path):
    argv = [sys.executable, "-c", IGNORES, sys.executable, "-m", "paramon", "top", "--folder", str(tmp_path)]
    command = ["--", "grep", "SigIgn", "/proc/self/status"]
    known = environment()
    done = subprocess.run([*argv, *command], env=known, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (output,) = tmp_path.glob("output-*.txt")
    assert int(output.read_text().split()[1], 16) & 1 << signal.SIGCHLD - 1


def test_a_command_of_an_instant_is_itself(tmp_path):
    assert top("--every", "0.3", "--folder", tmp_path, "--", "true").returncode == 0
    (node,) = open_profile(str(tmp_path))
    assert [one.name for one in everybody(node)] == ["true"]


def test_ctrl_c_ends_the_command_too_and_q_leaves_it_running(tmp_path):
    with Screen("--every", "0.2", "--folder", str(tmp_path), "--", "sleep", "77.5") as screen:
        screen.until("sleep 77.5", "LIVE")
        screen.press("\x03")
        assert screen.ended() == 130
        assert screen.process.stderr.read() == b""
    os.mkfifo(tmp_path / "go")
    with Screen(
        "--every", "0.2", "--folder", str(tmp_path), "--", "sh", "-c", f"read x < {tmp_path}/go; exit 4"
    ) as screen:
        screen.until("read x", "LIVE")
        screen.press("q")
        assert b"sh goes on" in screen.process.stderr.readline()
        (tmp_path / "go").write_text("now\n")
        assert screen.ended() == 4


def test_a_process_that_runs_already_is_watched_with_its_children(tmp_path):
    with subprocess.Popen(["sh", "-c", "sleep 77.25 & read x; kill $!"], stdin=subprocess.PIPE) as process:
        argv = [sys.executable, "-m", "paramon", "top", "--every", "0.3", "--pid", str(process.pid)]
        with subprocess.Popen(argv, env=environment(), stdout=subprocess.PIPE, text=True) as seen:
            said = iter(seen.stdout.readline, "")
            assert any("sleep 77.25 & read x" in line for line in said)
            process.communicate(b"\n", timeout=60)
            assert any("ended" in line for line in said)
            assert seen.wait(60) == 0


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (["/no/such"], "paramon top -- ./a.out"),
        (["--pid", "99999999"], "no process"),
        (["--pid", "0"], "'0': say the number of a process"),
        (["--pid", "a.out"], "'a.out': say the number of a process"),
        (["--every", "0.01"], "0.2 to"),
        (["there", "--", "./a.out"], "paramon top --folder there -- ./a.out; to look at there, leave out the command."),
        (["there", "--pid", "1"], "leave out --pid"),
        (["--pid", "1", "--", "./a.out"], "leave out --pid"),
        (["--folder", "there"], "to look at a folder: paramon top there."),
        (["--at", "5", "--", "true"], "--at is for a profile that is there"),
        (["--at", "5", "--pid", "1"], "--at is for"),
        (["/sys", "--at", "5"], "no profile in /sys yet"),
    ],
)
def test_what_cannot_be_looked_at_is_refused_with_what_to_do(arguments, part):
    done = top(*arguments)
    assert done.returncode == 2
    assert part in done.stderr


@pytest.mark.parametrize("is_attached", [True, False])
def test_one_page_of_what_has_just_begun_has_rates(tmp_path, is_attached):
    busy = ["sh", "-c", "ulimit -t 2; while :; do :; done"]
    if is_attached:
        with subprocess.Popen(busy) as process:
            done = top("--once", "--period", "0.5", "--pid", process.pid)
            process.kill()
    else:
        done = top("--once", "--period", "0.5", "--folder", tmp_path, "--", *busy)
    row = [line for line in done.stdout.splitlines() if line.endswith(" " + " ".join(busy))][-1]
    assert int(row.split("%")[0].split()[-1]) > 0


def test_what_writes_beside_the_screen_says_afterwards_why_it_could_not(tmp_path):
    """It would have been said on the page that is taken away when it is left."""
    with subprocess.Popen(["sleep", "60"]) as process:
        argv = [
            "sh",
            "-c",
            'ulimit -f 1; exec "$@"',
            "sh",
            sys.executable,
            "-m",
            "paramon",
            "top",
            "--pid",
            process.pid,
        ]
        known = environment(LC_ALL="zh_CN.UTF-8")
        done = subprocess.run(list(map(str, argv)), env=known, capture_output=True, text=True, timeout=60, check=False)
        process.kill()
    assert done.returncode == 2
    assert "The profile cannot be written" in done.stderr
    assert "无法在" in done.stderr
