"""Something that writes a profile beside the screen: a command that is run, or a process that is looked at."""

from __future__ import annotations

import os
import signal
import sys
import time
from typing import Callable

from paramon.begin import Wish, begin, what_to_do, why_not
from paramon.errors import Refused, said
from paramon.owner import began
from paramon.run import run
from paramon.sample.profile import SUFFIX
from paramon.table import Belongs

NOTHING = (b"", b"-")
"""A mark that no environment carries."""


FAILED = 2
LONGEST = 4096
"""Bytes of what is told of a failure."""


class Writer:
    """A process of its own, so that what is slow on a screen disturbs no look. Of what it cannot do it says nothing on
    the screen, which is taken."""

    def __init__(self, work: Callable[[], int]) -> None:
        sys.stdout.flush()
        sys.stderr.flush()
        self._told, told = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        handling = signal.signal(signal.SIGCHLD, signal.SIG_DFL)  # where it is ignored, nobody can be waited for
        self.pid = os.fork()
        self._code: int | None = None
        if not self.pid:
            code = FAILED
            try:
                signal.signal(signal.SIGCHLD, handling)
                code = work()
            except Refused as wrong:
                os.write(told, said(wrong.en, wrong.zh).encode())
            except KeyboardInterrupt:
                code = 130
            except SystemExit:
                code = 0  # it was stopped
            except BaseException as wrong:  # noqa: BLE001  # whatever it is: nothing else tells of it
                os.write(told, f"paramon: {type(wrong).__name__}: {wrong}\n".encode("utf-8", "replace")[:LONGEST])
            finally:
                os._exit(code)
        os.close(told)

    @property
    def ending(self) -> str:
        """Of its profile's name."""
        return f"-{self.pid}{SUFFIX}"

    def is_alive(self) -> bool:
        if self._code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self._code = _code(status)
        return self._code is None

    def wait(self) -> int:
        """Its exit code; 128 and the signal's number where one ended it."""
        if self._code is None:
            self._code = _code(os.waitpid(self.pid, 0)[1])
        return self._code

    def trouble(self) -> str:
        """Of one that has ended: why it could not do its work; empty where it could."""
        self.wait()
        try:
            return os.read(self._told, LONGEST).decode("utf-8", "replace")
        except BlockingIOError:
            return ""  # somebody else holds the other end

    def stop(self) -> None:
        if self.is_alive():
            os.kill(self.pid, signal.SIGTERM)
            self.wait()


def command(argv: list[str], wish: Wish, output: str) -> Writer:
    """Its output goes to a file: the screen is taken. Refused where that cannot be written."""
    try:
        os.makedirs(os.path.dirname(output) or ".", exist_ok=True)
        file = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    except OSError as wrong:
        raise Refused(
            f"The command's output cannot be written to {output} ({why_not(wrong)}): {what_to_do(wrong)[0]}.",
            f"无法将命令输出写入 {output}（{why_not(wrong)}）：{what_to_do(wrong)[1]}。",
        ) from None

    def work() -> int:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(file, 1)
        os.dup2(file, 2)
        return run(argv, wish)

    started = Writer(work)
    os.close(file)
    return started


def attached(pid: int, wish: Wish) -> Writer:
    """To a process that runs already, with all that descends from it. Refused where there is none."""
    start = began(pid)
    if not start:
        raise Refused(
            f"There is no process {pid} here: `ps -u $USER` lists yours.",
            f"本机没有进程 {pid}：可用 `ps -u $USER` 查看自己的进程。",
        )
    parent = os.getpid()
    return Writer(lambda: _recorded(pid, wish, lambda: os.getppid() == parent and began(pid, start) == start))


def _recorded(pid: int, wish: Wish, is_wanted: Callable[[], bool]) -> int:
    """Until it ends, or who asked for it does."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the screen says when
    recorder = begin(wish, Belongs(frozenset({pid}), frozenset(), NOTHING), [f"pid {pid}"])
    try:
        while is_wanted():
            recorder.tick_if_due()
            time.sleep(min(recorder.wait_seconds(), 1.0))
    finally:
        recorder.close({}, lambda: 0)
    return 0


def _code(status: int) -> int:
    code = os.waitstatus_to_exitcode(status)
    return code if code >= 0 else 128 - code
