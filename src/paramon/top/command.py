"""`paramon top`: what a job does now, or did then."""

from __future__ import annotations

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from types import FrameType
from typing import Callable, NamedTuple

from paramon.begin import Wish
from paramon.errors import Refused
from paramon.opened import tell_left_out
from paramon.schedulers import job_here
from paramon.top import paint as plain
from paramon.top.keys import Terminal
from paramon.top.loop import Look, Paint, in_terminal, is_terminal, pages
from paramon.top.moments import moment_in
from paramon.top.reel import Reel
from paramon.top.started import FAILED, attached, command
from paramon.top.state import Extent, State, sought

HERE = "paramon"
"""The folder where a profile is, or goes, unless somebody says another."""


class Wanted(NamedTuple):
    """`path`: of a profile, or a folder of them. `pid`: 0 for none. `at`: as the user wrote it. `folder`: where the
    profile of the command goes. An empty one of these was not said."""

    path: str
    pid: int = 0
    command: Sequence[str] = ()
    at: str = ""
    seconds: float = 1.0
    period: float = 1.0
    budget: float = 0.005
    is_once: bool = False
    is_plain: bool = False
    is_chinese: bool = False
    folder: str = ""


def top(wanted: Wanted) -> int:
    """The command's exit code, where one was run. Refused for what cannot be looked at."""
    _refuse_two(wanted)
    if wanted.command:
        return _of_command(wanted._replace(folder=wanted.folder or HERE))
    if wanted.pid:
        return _of_process(wanted)
    wanted = wanted._replace(path=wanted.path or HERE)
    if not os.path.exists(wanted.path):
        raise Refused(
            f"There is no profile at {wanted.path}: name a file or a folder, or say what to look at: "
            "paramon top -- ./a.out, or paramon top --pid 1234.",
            f"{wanted.path} 处没有采集文件：请给出文件或目录，或指定要查看的对象："
            "paramon top -- ./a.out，或 paramon top --pid 1234。",
        )
    reel = Reel(wanted.path)
    reel.poll()
    tell_left_out(reel.left_out, reel.copies)
    return look_on(wanted, reel, lambda: True)


def _refuse_two(wanted: Wanted) -> None:
    """What is to be looked at is said once, and what runs now has no other moments yet."""
    if wanted.command and wanted.path:
        raise Refused(
            f"A command's profile goes to a folder: paramon top --folder {wanted.path} -- {wanted.command[0]}; "
            f"to look at {wanted.path}, leave out the command.",
            f"命令的采集文件写入 --folder 指定的目录：paramon top --folder {wanted.path} -- {wanted.command[0]}；"
            f"要查看 {wanted.path}，请不要写命令。",
        )
    if wanted.pid and (wanted.path or wanted.command):
        raise Refused(
            f"Say one thing to look at: leave out --pid, or all but --pid {wanted.pid}.",
            f"只能查看一个对象：请去掉 --pid，或只写 --pid {wanted.pid}。",
        )
    if wanted.folder and not wanted.command:
        raise Refused(
            f"--folder says where a command's profile goes; to look at a folder: paramon top {wanted.folder}.",
            f"--folder 指定命令的采集文件写入何处；查看目录请用：paramon top {wanted.folder}。",
        )
    if wanted.at and (wanted.pid or wanted.command):
        raise Refused(
            "--at is for a profile that is there: paramon top PROFILE --at TIME.",
            "--at 只用于已有的采集文件：paramon top PROFILE --at TIME。",
        )


def _of_command(wanted: Wanted) -> int:
    wish = Wish(wanted.folder, wanted.period, wanted.budget, job_here(os.environ))
    output = os.path.join(wanted.folder, f"output-{os.getpid()}.txt")
    writer = command(list(wanted.command), wish, output)
    code = look_on(wanted, Reel(wanted.folder, writer.ending), writer.is_alive, looks=2)
    if not code and writer.is_alive():
        sys.stderr.write(f"paramon: {wanted.command[0]} goes on, its output is in {output}; Ctrl-C ends it\n")
    sys.stderr.write(writer.trouble())
    return writer.wait() or code


def _of_process(wanted: Wanted) -> int:
    folder = tempfile.mkdtemp(prefix="paramon-")
    try:
        writer = attached(wanted.pid, Wish(folder, wanted.period, wanted.budget))
        try:
            code = look_on(wanted, Reel(folder, writer.ending), writer.is_alive, looks=2)
        finally:
            writer.stop()
        trouble = writer.trouble()
        sys.stderr.write(trouble)
        return FAILED if trouble else code
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def look_on(wanted: Wanted, reel: Reel, is_alive: Callable[[], bool], looks: int = 0) -> int:
    """Until whoever looks has enough; the exit code. `is_alive`: whether what writes the profile may still write.
    `looks`: so many are waited for, as long as it may."""
    reel.poll()
    state = State()
    if wanted.at:
        if not reel.tapes:
            raise Refused(
                f"There is no profile in {wanted.path} yet: leave out --at, or wait.",
                f"{wanted.path} 中还没有采集文件：请去掉 --at，或稍候再试。",
            )
        state = sought(moment_in(wanted.at, reel.start_ms), Extent(reel.start_ms, reel.end_ms, 1))
    has_screen = is_terminal(0, 1) and not wanted.is_once
    look = Look(
        reel,
        lambda en, zh: zh if wanted.is_chinese else en,
        _paint(is_plain=wanted.is_plain),
        wanted.seconds,
        has_screen and "NO_COLOR" not in os.environ,
        is_alive,
        looks,
    )
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _ended)
    try:
        if not has_screen:
            pages(look, state, sys.stdout, is_once=wanted.is_once)
            return 0
        with Terminal(0, 1) as terminal:
            in_terminal(look, state, terminal)
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        raise
    except OSError:
        if not has_screen:
            raise
        return 1  # the terminal is gone: there is nobody to tell
    return 0


def _ended(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _paint(*, is_plain: bool) -> Paint:
    """Of rich where it is installed."""
    if is_plain:
        return plain.paint
    try:
        from paramon.top.rich_paint import paint  # an extra: a node has what it has
    except ImportError:
        return plain.paint
    return paint
