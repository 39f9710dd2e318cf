"""`paramon run`: the command is what it would be without, and a profile is there after it."""

import os
import signal
import subprocess
import sys

import pytest
from tests.paramon.ran import BURN, IGNORES, ROOT, last_rows, paramon, ran

from paramon.run import MARK
from paramon.sample.fields import AT
from paramon.sample.profile import open_profile


@pytest.mark.parametrize(("script", "code"), [("exit 7", 7), ("kill -9 $$", 137), ("true", 0)])
def test_the_commands_ending_and_output_are_its_own(tmp_path, script, code):
    done, node = ran(tmp_path, "sh", "-c", f"cat; echo out; echo err >&2; {script}")
    assert (done.returncode, done.stdout, done.stderr) == (code, "out\n", "err\n")
    assert node.end["exit_code"] == (code if code < 128 else 0)
    assert node.end["signal"] == (9 if code == 137 else 0)


def test_a_command_that_is_not_there_ends_as_in_a_shell(tmp_path):
    done, _ = ran(tmp_path, "/no/such/command")
    assert done.returncode == 127
    assert "/no/such/command" in done.stderr
    done, _ = ran(tmp_path / "more", str(tmp_path))
    assert done.returncode == 126


def test_its_cpu_time_and_that_of_its_children_are_known(tmp_path):
    burn = f'"{sys.executable}" -S -c "{BURN.format(1.5)}"'
    _, node = ran(tmp_path, "sh", "-c", f"{burn} & {burn}; wait", options=("--period", "0.1"))
    burnt = [
        values[AT["user_ticks"]] + values[AT["system_ticks"]]
        for number, values in last_rows(node).items()
        if node.processes[number].command.startswith(sys.executable)
    ]
    assert len(burnt) == 2
    assert all(ticks >= 100 for ticks in burnt)
    assert node.end["completeness"] > 0.9


def test_what_a_child_wrote_is_not_its_waiting_parents_too(tmp_path):
    """/proc/PID/io of one that waited has its children's, and theirs."""
    script = "import os, time\nfor _ in range(8):\n    os.write(2, b'.' * (1 << 20))\n    time.sleep(0.1)"
    (tmp_path / "writes.py").write_text(script)
    inner = f'"{sys.executable}" -S {tmp_path}/writes.py 2>/dev/null; true'
    (tmp_path / "inner").write_text(inner)
    (tmp_path / "outer").write_text(f"sh {tmp_path}/inner; sleep 0.4; true")
    _, node = ran(tmp_path, "sh", "-c", f"sh {tmp_path}/outer; sleep 0.4; true", options=("--period", "0.1"))
    rows = last_rows(node)
    written = {(node.processes[number].name, number): values[AT["write_chars"]] for number, values in rows.items()}
    assert 8 << 20 <= sum(written.values()) < 9 << 20
    assert max(written, key=written.get)[0].startswith("python")


def test_what_it_did_since_the_last_look_is_known_when_it_ends(tmp_path):
    burn = f'"{sys.executable}" -S -c "{BURN.format(0.7)}"'
    _, node = ran(tmp_path, "sh", "-c", f"sleep 0.5; {burn}; true", options=("--period", "60"))
    assert node.end["cpu_ticks_total"] >= 70
    assert node.end["completeness"] > 0.95


def test_memory_that_nobody_saw_is_told_when_all_have_ended(tmp_path):
    take = f'"{sys.executable}" -S -c "x = b\'x\' * (100 << 20)"'
    profile = ("run", "--folder", str(tmp_path / "profile"), "--period", "60")
    paramon(*profile, "--", "sh", "-c", f"sleep 0.5; {take}; true", is_small=True)
    (node,) = open_profile(str(tmp_path / "profile"))
    assert 100 << 10 < node.end["largest_rss_kib"] < 200 << 10
    assert "between two looks one had 1" in paramon("show", str(tmp_path / "profile")).stdout


def test_the_memory_of_who_started_it_is_none_of_its(tmp_path):
    large = b"x" * (300 << 20)
    take = f"x = b'x' * ({len(large)} // 3)"
    _, node = ran(tmp_path, sys.executable, "-S", "-c", take, options=("--period", "60"))
    assert 100 << 10 < node.end["largest_rss_kib"] < 200 << 10


def test_of_a_command_that_needs_less_than_its_collector_no_most_is_told(tmp_path):
    _, node = ran(tmp_path, "true")
    assert node.end["largest_rss_kib"] == 0
    assert "between two looks" not in paramon("show", str(tmp_path / "profile")).stdout


def test_what_it_leaves_behind_is_known_and_not_in_the_total_and_that_is_said(tmp_path):
    burn = f"\"{sys.executable}\" -S -c \"{BURN.format(0.5)}\nopen('done', 'w')\nwhile True: time.sleep(1)\""
    waited = f'"{sys.executable}" -S -c "{BURN.format(0.1)}"'
    script = f"{burn} >/dev/null 2>&1 & echo $! >pid; {waited}; until [ -e done ]; do sleep 0.1; done"
    _, node = ran(tmp_path, "sh", "-c", f"cd {tmp_path}; {script}", options=("--period", "0.1"))
    os.kill(int((tmp_path / "pid").read_text()), signal.SIGKILL)
    assert node.end["cpu_ticks_total_by"] == "rusage"
    assert node.end["completeness"] == round(node.end["cpu_ticks"] / node.end["cpu_ticks_total"], 4) > 1


def test_the_commands_limits_are_those_of_who_started_it(tmp_path):
    done = subprocess.run(
        ["sh", "-c", f'ulimit -S -n 200; exec "{sys.executable}" -m paramon run --folder x -- sh -c "ulimit -S -n"'],
        check=True,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert done.stdout == "200\n"


def test_a_run_of_an_instant_still_has_a_profile(tmp_path):
    _, node = ran(tmp_path, "true")
    assert sum(len(chunk.ticks) for chunk in node.chunks()) >= 1
    assert node.end["ticks"] >= 1


@pytest.mark.parametrize("command", [["true"], ["sh", "-c", "exit 7"], ["sleep", "0.3"]], ids=lambda one: one[0])
def test_the_command_is_never_taken_for_the_collectors_copy_that_becomes_it(tmp_path, command):
    _, node = ran(tmp_path, *command, options=("--period", "0.1"))
    peaks = [
        values[AT["peak_rss_kib"]] for chunk in node.chunks() for rows in chunk.rows.values() for _, values in rows
    ]
    assert [one.name for one in node.processes.values()] == [command[0]]
    assert max(peaks) < 6 << 10, "a Python has more"
    if "exits" not in node.header["unavailable"]:
        assert max(peaks) > 256, "a short one's is told when it ends"


def test_the_command_has_no_file_open_that_it_would_not_have_without(tmp_path):
    listed = ["sh", "-c", "ls /proc/$$/fd; true"]
    done, _ = ran(tmp_path, *listed, options=("--period", "0.1"))
    without = subprocess.run(listed, stdin=None, capture_output=True, text=True, check=True)
    assert done.stdout == without.stdout


LATE = """
import os, signal
from paramon.run import _let_it_become
from paramon.signals import Signals

numbers = {signal.SIGUSR1, signal.SIGCHLD}
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
until_then, held = os.pipe()
child = os.fork()
if not child:
    signal.sigwait({signal.SIGUSR1})
    os._exit(0)
os.close(held)
os.kill(os.getpid(), signal.SIGUSR1)
_let_it_become(child, until_then, Signals(numbers))
print(os.waitpid(child, 0)[1])
"""


def test_a_signal_reaches_a_command_whose_program_is_long_in_coming():
    known = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", LATE], env=known, check=True, capture_output=True, text=True, timeout=30
    )
    assert done.stdout == "0\n"


def test_a_signal_reaches_the_command(tmp_path):
    script = "trap 'echo caught; exit 5' TERM; echo ready; while :; do sleep 0.1; done"
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path), "--", "sh", "-c", script]
    with subprocess.Popen(argv, env=environment, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        assert process.stdout.read() == "caught\n"
        assert process.wait(60) == 5


@pytest.mark.parametrize("options", [["--period", "0.01"], ["--period", "nan"], ["--budget", "-1"], ["--period", "x"]])
def test_what_cannot_be_is_refused_with_its_bounds(tmp_path, options):
    done = paramon("run", "--folder", str(tmp_path), *options, "--", "true")
    assert done.returncode == 2
    assert " to " in done.stderr


def test_the_command_has_its_own_signals_and_locale_and_not_pythons(tmp_path):
    """Python ignores two signals, and sets a locale where there is none."""
    script = "grep -E 'SigIgn' /proc/self/status; env | grep -c LC_CTYPE"
    bare = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path), "--", "sh", "-c", script]
    done = subprocess.run(argv, env=bare, check=False, capture_output=True, text=True, timeout=60)
    ignored, locales = done.stdout.splitlines()
    mask = int(ignored.split()[1], 16)
    assert not mask & (1 << signal.SIGPIPE - 1 | 1 << signal.SIGXFSZ - 1)
    assert locales == "0"


def test_a_command_that_is_given_no_environment_has_none_but_its_jobs_mark(tmp_path):
    main = (
        f"import sys; sys.path[:0] = {[str(ROOT / 'src'), *sys.path]}; from paramon.cli import main; sys.exit(main())"
    )
    argv = [sys.executable, "-c", main, "run", "--folder", str(tmp_path), "--", "/usr/bin/env"]
    done = subprocess.run(argv, env={}, check=True, capture_output=True, text=True, timeout=60)
    assert [line.partition("=")[0] for line in done.stdout.splitlines()] == [MARK]


def test_where_ends_of_children_are_ignored_it_ends_with_its_command_which_ignores_them_too(tmp_path):
    argv = [sys.executable, "-c", IGNORES, sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path)]
    command = ["grep", "SigIgn", "/proc/self/status"]
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen([*argv, "--", *command], env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            told, _ = process.communicate(timeout=30)
        finally:
            process.kill()  # it passes on all that is kinder
    assert process.returncode == 0
    assert int(told.split()[1], 16) & 1 << signal.SIGCHLD - 1


def test_a_limit_that_the_scheduler_tells_by_sigxcpu_reaches_the_command(tmp_path):
    script = "trap 'echo told; exit 4' XCPU; echo ready; while :; do sleep 0.1; done"
    argv = [sys.executable, "-m", "paramon", "run", "--folder", str(tmp_path), "--", "sh", "-c", script]
    known = {**os.environ, "PYTHONPATH": str(ROOT / "src")}
    with subprocess.Popen(argv, env=known, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGXCPU)
        assert process.stdout.read() == "told\n"
    assert process.returncode == 4
