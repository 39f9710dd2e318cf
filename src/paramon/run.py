"""`paramon run -- COMMAND …`: the command runs as if it had been started without; beside it, its profile is written.

The command's ending, output and signals are its own. Whatever goes wrong with the profile is said in one line, and the
command goes on. In a scheduler's job it runs even where no profile can be begun: a job that has waited for its turn is
not lost for that. Elsewhere nothing is started then: who called it changes a word and calls again.
"""

from __future__ import annotations

import os
import select
import signal
import socket
import sys
import time
from collections.abc import Iterator
from functools import partial
from typing import Any, NoReturn

from paramon.begin import Wish, begin
from paramon.errors import said
from paramon.owner import environment
from paramon.record import Recorder, safely
from paramon.signals import Signal, Signals
from paramon.subreaper import adopt_orphans
from paramon.table import Belongs, allow_many_files
from paramon.there import pids
from paramon.total import Total, largest_rss_kib

MARK = "PARAMON_JOB"
"""In the environment of the command, and so of all that it starts."""
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
             signal.SIGCONT, signal.SIGALRM, signal.SIGWINCH, signal.SIGXCPU)  # fmt: skip
FROM_TERMINAL = 128
"""SI_KERNEL: the terminal has told the command itself, which is in the same group."""
NOT_FOUND, NOT_ALLOWED = 127, 126
"""As a shell says it."""


def run(command: list[str], wish: Wish, *, may_go_without: bool = False) -> int:
    """The command's exit status; 128 and the signal's number where one ended it. Refused where the profile cannot be
    begun: then nothing has been started. `may_go_without`: this process becomes the command instead."""
    mark = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
    waited_for = {signal.SIGCHLD, *PASSED_ON}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        own, others = frozenset({os.getpid()}), frozenset(pids())
        recorder = begin(wish, Belongs(frozenset(), own, (MARK.encode(), mark.encode()), others), command)
        signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
        signals, total = Signals(waited_for), Total()
    except Exception as wrong:  # whatever it is: a job runs
        if not may_go_without:
            raise
        _say_that_it_runs_without(wrong)
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
        _become(command, _environment())
    adopt_orphans()
    # Where who started us ignores it, nobody could be waited for, or is told of: the kernel takes them away at once.
    handling = signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    child, until_then = _start(command, {**_environment(), MARK: mark}, before, handling)
    allow_many_files()  # not before the command has started, whose limits are none of ours
    _let_it_become(child, until_then, signals)
    ended = _watched(child, recorder, signals)
    code = int(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)
    how = {"exit_code": max(code, 0), "signal": max(-code, 0), "cpu_ticks_total_by": total.source}
    safely(lambda: recorder.close(how, lambda: _ticks_of(child, total, how)))
    return code if code >= 0 else 128 - code


def _environment() -> dict[str, str]:
    """As we were started with it. Python sets a locale of its own where there was none (PEP 538)."""
    has_locale = not os.access("/proc/self/environ", os.R_OK) or b"LC_CTYPE" in environment(os.getpid())
    return {name: value for name, value in os.environ.items() if name != "LC_CTYPE" or has_locale}


def _say_that_it_runs_without(wrong: Exception) -> None:
    en, zh = getattr(wrong, "en", f"{type(wrong).__name__}: {wrong}."), getattr(wrong, "zh", "")
    told = said(f"{en} The command runs without a profile.", f"{zh}命令照常运行，但没有采集数据。")
    try:
        os.write(2, told.encode("utf-8", "surrogateescape"))
    except OSError:
        pass  # where the profile has no room, a job's output may have none either


def _start(command: list[str], environment: dict[str, str], mask: set[Any], handling: object) -> tuple[int, int]:
    """The process's id, and a pipe that ends when it has become another program, or has failed to; -1 for none.
    `mask`: signals that it is to have blocked; `handling`: of SIGCHLD, before we did otherwise."""
    sys.stdout.flush()
    sys.stderr.flush()
    try:
        until_then, held = os.pipe()  # both are closed by execve(2)
    except OSError:
        until_then = held = -1
    child = os.fork()
    if child:
        if held >= 0:
            os.close(held)
        return child, until_then
    try:
        if handling == signal.SIG_IGN:
            signal.signal(signal.SIGCHLD, signal.SIG_IGN)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        _become(command, environment)
    finally:
        os._exit(NOT_ALLOWED)


def _become(command: list[str], environment: dict[str, str]) -> NoReturn:
    """One that cannot be started ends as a shell's would."""
    try:
        for ignored in (signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(ignored, signal.SIG_DFL)  # Python ignores them, and what is ignored stays so
        os.execvpe(command[0], command, environment)  # noqa: S606  # no shell: the command is the user's own
    except OSError as wrong:
        os.write(2, f"paramon: {command[0]}: {wrong.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(NOT_FOUND if isinstance(wrong, FileNotFoundError) else NOT_ALLOWED)
    finally:
        os._exit(NOT_ALLOWED)


def _let_it_become(child: int, until_then: int, signals: Signals) -> None:
    """Before, it is a copy of us: our name and our memory would be told as the command's."""
    if until_then < 0:
        return
    either = select.poll()
    for file in (until_then, signals.fileno()):
        either.register(file, select.POLLIN)
    while until_then not in dict(either.poll()):
        _heed(child, signals.wait(0))
    os.close(until_then)


def _watched(child: int, recorder: Recorder, signals: Signals) -> Any:  # noqa: ANN401  # it has no public name
    """Until it has ended; what waitid(2) tells of it. It is not waited for yet, so that the last look finds what it
    and its children used in the end."""
    is_well = True
    while True:
        if is_well:
            is_well = safely(recorder.tick_if_due)
        for ended in _ended():
            if ended.si_pid == child:
                return ended
            # Where nobody looks any more, nobody asks what was told of them either.
            if is_well:
                safely(partial(recorder.wait, ended.si_pid), goes_on=True)
            else:
                os.waitpid(ended.si_pid, 0)
        _heed(child, signals.wait(recorder.wait_seconds() if is_well else 3600))


def _heed(child: int, told: Signal | None) -> None:
    """What is the command's, too."""
    if told is None or told.number == signal.SIGCHLD:
        return
    if not (told.code == FROM_TERMINAL and told.number in (signal.SIGINT, signal.SIGQUIT)):
        _pass_on(child, told.number)


def _pass_on(child: int, number: int) -> None:
    """One that changed its user may be told nothing any more: it goes on, and so does its profile."""
    try:
        os.kill(child, number)
    except OSError:
        pass


def _ended() -> Iterator[Any]:
    """Children that have ended; who asks for the next one has waited for the last."""
    while True:
        try:
            found = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return
        if found is None:
            return
        yield found


def _ticks_of(child: int, total: Total, how: dict[str, Any]) -> int:
    """Of all, the child's too: it counts when it was waited for. So does the most memory that any of them had, which
    is noted in `how`."""
    os.waitpid(child, 0)
    how["largest_rss_kib"] = largest_rss_kib()
    return total.ticks()
