"""`paramon run -- COMMAND …`: the command runs as if it had been started without; beside it, its profile is written.

The command's ending, output and signals are its own. Whatever goes wrong with the profile is said in one line, and the
command goes on.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
import time
from typing import Any

from paramon.begin import Wish, begin
from paramon.record import Recorder, safely
from paramon.subreaper import adopt_orphans
from paramon.table import Belongs, allow_many_files, pids

MARK = "PARAMON_JOB"
"""In the environment of the command, and so of all that it starts."""
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
             signal.SIGCONT, signal.SIGALRM, signal.SIGWINCH)  # fmt: skip
FROM_TERMINAL = 128
"""SI_KERNEL: the terminal has told the command itself, which is in the same group."""
NOT_FOUND, NOT_ALLOWED = 127, 126
"""As a shell says it."""


def run(command: list[str], wish: Wish) -> int:
    """The command's exit status; 128 and the signal's number where one ended it. Refused where the profile cannot be
    begun: then nothing has been started."""
    mark = f"{socket.gethostname()}-{os.getpid()}-{time.time_ns()}"
    own, others = frozenset({os.getpid()}), frozenset(pids())
    recorder = begin(wish, Belongs(frozenset(), own, (MARK.encode(), mark.encode()), others), command)
    adopt_orphans()
    waited_for = {signal.SIGCHLD, *PASSED_ON}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    child = _start(command, {**os.environ, MARK: mark}, before)
    allow_many_files()  # not before the command has started, whose limits are none of ours
    status = _watched(child, recorder, waited_for)
    code = os.waitstatus_to_exitcode(status)
    safely(lambda: recorder.close({"exit_code": max(code, 0), "signal": max(-code, 0)}, _children_ticks()))
    return code if code >= 0 else 128 - code


def _start(command: list[str], environment: dict[str, str], mask: set[Any]) -> int:
    """The process's id. One that cannot be started ends as a shell's would."""
    sys.stdout.flush()
    sys.stderr.flush()
    child = os.fork()
    if child:
        return child
    try:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
        os.execvpe(command[0], command, environment)  # noqa: S606  # no shell: the command is the user's own
    except OSError as wrong:
        os.write(2, f"paramon: {command[0]}: {wrong.strerror}\n".encode("utf-8", "surrogateescape"))
        os._exit(NOT_FOUND if isinstance(wrong, FileNotFoundError) else NOT_ALLOWED)
    finally:
        os._exit(NOT_ALLOWED)


def _watched(child: int, recorder: Recorder, waited_for: set[Any]) -> int:
    """Until it ends; its status as waitpid(2) gives it."""
    is_well = True
    while True:
        if is_well:
            is_well = safely(recorder.tick_if_due)
        told = signal.sigtimedwait(waited_for, recorder.wait_seconds() if is_well else 3600)
        if told is None:
            continue
        if told.si_signo != signal.SIGCHLD:
            if not (told.si_code == FROM_TERMINAL and told.si_signo in (signal.SIGINT, signal.SIGQUIT)):
                os.kill(child, told.si_signo)
            continue
        if is_well and os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            is_well = safely(recorder.look_now)  # until it is waited for, the kernel knows all that it did
        while True:
            pid, status = _reaped()
            if pid == child:
                return status
            if not pid:
                break


def _reaped() -> tuple[int, int]:
    """0 where nobody has ended."""
    try:
        return os.waitpid(-1, os.WNOHANG)
    except ChildProcessError:
        return 0, 0


def _children_ticks() -> int:
    """Of all that were waited for."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return int((used.ru_utime + used.ru_stime) * os.sysconf("SC_CLK_TCK"))
