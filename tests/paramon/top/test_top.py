"""`paramon top` in a real terminal: live while a profile is written, and long after by the same keys."""

import os
import re
import signal
import subprocess
import sys

import pytest
from tests.paramon.show.pages import shown
from tests.paramon.top.played import a_job, more, order, top
from tests.paramon.top.screen import Screen, environment

from paramon.text import width


@pytest.fixture(params=["rich", "plain"])
def look(request):
    return ("--every", "0.2", *(["--plain"] if request.param == "plain" else []))


def test_it_follows_a_profile_as_it_is_written_also_over_a_minutes_end(tmp_path, look):
    made = a_job(tmp_path, 59)
    with Screen(str(tmp_path), *look) as screen:
        screen.until("● LIVE", "+58.0 s", "[42] mpirun ./a.out")
        for second in range(59, 63):
            more(made, second)
            if second == 59:
                made.minute()
        lines = screen.until("+1:02 min", "90%")
        assert order(lines)[:2] == ["part0", "part1"]
        made.close(exit_code=3)
        screen.until("■ ended, exit code 3")
        screen.press("q")
        assert screen.ended() == 0


def test_nodes_and_gpus_have_bars(tmp_path, look):
    a_job(tmp_path)
    with Screen(str(tmp_path), *look, columns=140) as screen:
        text = "\n".join(screen.until("1.1/4", "n1 GPU 0", "310.0 W"))
        assert "1.0 GiB/4.0 GiB" in text
        assert "5.0 GiB/8.0 GiB" in text
        assert "█" in text


def test_ranks_have_their_share_of_mpi_and_nodes_what_their_counters_give(tmp_path, look):
    made = a_job(tmp_path)
    for second in range(30, 45):
        made.tick(second * 1000, mpi__0__application_us=second * 900_000, mpi__0__mpi_us=second * 100_000,
                  mpi__1__application_us=second * 600_000, mpi__1__mpi_us=second * 400_000,
                  counter__cycles=second * 10**9, counter__instructions=second * 2 * 10**9)  # fmt: skip
    with Screen(str(tmp_path), *look, columns=160) as screen:
        lines = screen.until("load balance 0.83", "2.00 instructions a cycle")
        shares = [line.split()[:2] for line in lines if "part" in line]
        assert shares == [["0", "10%"], ["1", "40%"]]


def test_a_profile_that_was_cut_off_is_no_live_one(tmp_path, look):
    made = a_job(tmp_path)
    for path in (made.path, made.path + ".live"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    with Screen(str(tmp_path), *look) as screen:
        screen.until("■ cut off: no end was written")
    assert "cut off" in top(tmp_path).stdout, "and its page is the last"


def test_what_ended_with_its_job_is_told_as_the_page_tells_it(tmp_path):
    made = a_job(tmp_path, attached=True)
    for path in (made.path, made.path + ".live"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    told = "ended with its job, or cut off: no end was written"
    assert f"■ {told}  " in top("--once", tmp_path).stdout
    assert told in shown(tmp_path)


def test_a_damaged_file_is_said_to_be_as_on_the_page(tmp_path):
    made = a_job(tmp_path)
    made.minute()
    before = os.path.getsize(made.path)
    for second in (30, 31):
        more(made, second)
        made.minute()
    path = made.close()
    assert "DAMAGED" not in top("--once", path).stdout
    with open(path, "r+b") as file:
        file.seek(before + 20)
        file.write(b"\0\0\0\0")
    (told,) = set(re.findall(r"DAMAGED: [1-9][0-9]* bytes, 0 unreadable pieces", shown(path)))
    assert f"■ ended  {told}  sorted" in top("--once", path).stdout


def test_keys_sort_and_draw_the_tree(tmp_path, look):
    a_job(tmp_path)
    with Screen(str(tmp_path), *look) as screen:
        screen.until("sorted by rank")
        for key, sort, first in (("c", "cpu", "part1"), ("m", "memory", "part0"), ("i", "io", "mpirun a.out"),
                                 ("w", "wait", "part1"), ("r", "rank", "part0")):  # fmt: skip
            screen.press(key)
            assert order(screen.until(f"sorted by {sort}"))[0] == first
        screen.press("t")
        lines = screen.until("└ ./a.out part1")
        assert order(lines)[0] == "mpirun a.out"
        screen.press("h")
        screen.until("to the start, to the newest")


def test_a_profile_is_played_paused_stepped_and_sought(tmp_path, look):
    a_job(tmp_path).close()
    with Screen(str(tmp_path), *look, "--at", "0:10") as screen:
        screen.until("+10.0 s", "paused", "of 29.0 s")
        screen.press("\x1b[C")
        screen.until("+11.0 s")
        screen.press("\x1b[D\x1b[D")
        screen.until("+9.00 s")
        screen.press("5")
        screen.until("+14.5 s")
        screen.press("g")
        screen.until("+0.00 s")
        screen.press("++ ")
        screen.until("▶ 4×", without="+0.00 s")
        screen.press(" ")
        screen.until("paused")
        screen.press("G")
        screen.until("■ ended")


def test_a_resize_is_followed_and_a_window_too_small_is_said_to_be(tmp_path, look):
    a_job(tmp_path)
    with Screen(str(tmp_path), *look) as screen:
        screen.until("LIVE")
        screen.resize(40, 24)
        assert screen.until("too small") == ["too small: 60×8 at least"]
        screen.resize(20, 24)
        assert screen.until("at\nleast") == ["too small: 60×8 at", "least"]
        screen.resize(70, 10)
        lines = screen.until("LIVE")
        assert len(lines) <= 10
        assert "q leave" in lines[-1]
        assert max(map(width, lines)) <= 70


@pytest.mark.parametrize(("how", "code"), [("\x03", 130), ("q", 0), (signal.SIGTERM, 143), (signal.SIGHUP, 129)])
def test_however_it_ends_the_terminal_is_as_it_was(tmp_path, how, code):
    a_job(tmp_path)
    with Screen(str(tmp_path), "--every", "0.2") as screen:
        screen.until("LIVE")
        if isinstance(how, str):
            screen.press(how)
        else:
            screen.process.send_signal(how)
        assert screen.ended() == code
        assert screen.process.stderr.read() == b""


def test_a_stop_gives_the_terminal_back_and_going_on_takes_it_again(tmp_path):
    a_job(tmp_path)
    with Screen(str(tmp_path), "--every", "0.2") as screen:
        screen.until("LIVE")
        screen.press("\x1a")
        os.waitpid(screen.process.pid, os.WUNTRACED)
        screen._take()
        assert screen._text.endswith("\x1b[?1049l")
        screen._text = ""
        screen.process.send_signal(signal.SIGCONT)
        screen.until("LIVE")
        screen.press("q")
        assert screen.ended() == 0


def test_when_the_terminal_is_gone_it_ends(tmp_path):
    a_job(tmp_path)
    with Screen(str(tmp_path), "--every", "0.2") as screen:
        screen.until("LIVE")
        os.close(screen.master)
        screen.master = -1
        assert screen.process.wait(60) in (1, 129)


def test_without_rich_it_is_drawn_all_the_same(tmp_path):
    a_job(tmp_path / "profile")
    (tmp_path / "rich").mkdir()
    (tmp_path / "rich" / "__init__.py").write_text("raise ImportError")
    path = f"{tmp_path}:{environment()['PYTHONPATH']}"
    with Screen(str(tmp_path / "profile"), "--every", "0.2", PYTHONPATH=path) as screen:
        assert "sorted by rank" in "\n".join(screen.until("LIVE", "n1 GPU 0"))


def test_where_there_is_no_terminal_a_page_is_written_and_the_end_is_the_end(tmp_path):
    a_job(tmp_path).close(exit_code=5)
    done = top(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    assert "\x1b" not in done.stdout
    assert "ended, exit code 5" in done.stdout
    assert "part1" in done.stdout
    assert "+12.0 s" in top(tmp_path, "--at", "12").stdout


def test_a_pipe_that_closes_is_the_end(tmp_path):
    a_job(tmp_path)
    argv = [sys.executable, "-m", "paramon", "top", "--every", "0.2", str(tmp_path)]
    with subprocess.Popen(
        argv, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "[42] mpirun ./a.out\n"
        process.stdout.close()
        assert process.wait(60) == 0
        assert process.stderr.read() == ""


def test_a_moment_that_is_none_is_refused(tmp_path):
    a_job(tmp_path)
    for moment in ("yesterday", "9" * 400):
        done = top(tmp_path, "--at", moment)
        assert done.returncode == 2
        assert "minutes:seconds" in done.stderr
