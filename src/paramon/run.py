"""`paramon run -- COMMAND …`: the command runs as if it had been started without; beside it, its profile is written.

The command's ending, output and signals are its own. Whatever goes wrong with the profile is said in one line, and the
command goes on.
"""

from __future__ import annotations

import os
import signal
import socket
import sys
import time
from collections.abc import Iterator
from typing import Any, Callable, NamedTuple

from paramon import VERSION
from paramon.beat import Beat
from paramon.errors import Refused
from paramon.record import Recorder
from paramon.sample.fields import NAMES
from paramon.sensors.all import sensors_here
from paramon.sensors.exits import Exits
from paramon.sensors.sensor import Unavailable
from paramon.spool import Spool
from paramon.subreaper import adopt_orphans
from paramon.table import Belongs, Table
from paramon.total import Total

MARK = "PARAMON_JOB"
"""In the environment of the command, and so of all that it starts."""
PASSED_ON = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2,
             signal.SIGCONT, signal.SIGALRM, signal.SIGWINCH)  # fmt: skip
FROM_TERMINAL = 128
"""SI_KERNEL: the terminal has told the command itself, which is in the same group."""
NOT_FOUND, NOT_ALLOWED = 127, 126
"""As a shell says it."""


class Wish(NamedTuple):
    """`folder`: of the profile. `period`: seconds from one look to the next; `budget`: of a core."""

    command: list[str]
    folder: str
    period: float
    budget: float
    job: str


def run(wish: Wish) -> int:
    """The command's exit status; 128 and the signal's number where one ended it. Refused where the profile cannot be
    begun: then nothing has been started."""
    started = int(time.time() * 1000)
    mark = f"{socket.gethostname()}-{os.getpid()}-{started}"
    sensors, unavailable = sensors_here()
    exits = _exits(unavailable)
    spool = _opened(wish, f"{socket.gethostname()}-{started}-{os.getpid()}", _header(wish, started, unavailable))
    adopt_orphans()
    waited_for = {signal.SIGCHLD, *PASSED_ON}
    before = signal.pthread_sigmask(signal.SIG_BLOCK, waited_for)
    total = Total()
    child = _start(wish.command, {**os.environ, MARK: mark}, before)
    table = Table(Belongs(frozenset({os.getpid()}), (MARK.encode(), mark.encode())), exits=exits)
    recorder = Recorder(spool, table, Beat(wish.period, wish.budget), sensors)
    ended = _watched(child, recorder, waited_for)
    code = int(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)
    how = {"exit_code": max(code, 0), "signal": max(-code, 0), "cpu_ticks_total_by": total.source}
    _safely(lambda: recorder.close(how, lambda: _ticks_of(child, total)))
    return code if code >= 0 else 128 - code


def _exits(unavailable: dict[str, tuple[str, str]]) -> Exits | None:
    """None where they are not to be had; then why is added to what is unavailable."""
    try:
        return Exits()
    except Unavailable as why:
        unavailable["exits"] = (why.en, why.zh)
        return None


def _opened(wish: Wish, name: str, header: dict[str, Any]) -> Spool:
    try:
        return Spool(wish.folder, name, header)
    except OSError as wrong:
        raise Refused(
            f"The profile cannot be written to {wish.folder} ({wrong.strerror}): name a folder with --folder.",
            f"无法在 {wish.folder} 写入采集文件（{wrong.strerror}）：请用 --folder 指定目录。",
        ) from None


def _header(wish: Wish, started: int, unavailable: dict[str, tuple[str, str]]) -> dict[str, Any]:
    return {
        "paramon": VERSION,
        "node": socket.gethostname(),
        "job": wish.job,
        "command": wish.command,
        "started_at_ms": started,
        "boot": _boot(),
        "ticks_a_second": os.sysconf("SC_CLK_TCK"),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "period": wish.period,
        "budget": wish.budget,
        "fields": NAMES,
        "unavailable": {name: list(why) for name, why in unavailable.items()},
    }


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""


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


def _watched(child: int, recorder: Recorder, waited_for: set[Any]) -> Any:  # noqa: ANN401  # it has no public name
    """Until it has ended; what waitid(2) tells of it. It is not waited for yet, so that the last look finds what it
    and its children used in the end."""
    is_well = True
    while True:
        if is_well:
            is_well = _safely(recorder.tick_if_due)
        told = signal.sigtimedwait(waited_for, recorder.wait_seconds() if is_well else 3600)
        if told is None:
            continue
        if told.si_signo != signal.SIGCHLD:
            if not (told.si_code == FROM_TERMINAL and told.si_signo in (signal.SIGINT, signal.SIGQUIT)):
                os.kill(child, told.si_signo)
            continue
        for ended in _ended():
            if ended.si_pid == child:
                return ended
            os.waitpid(ended.si_pid, 0)


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


def _ticks_of(child: int, total: Total) -> int:
    """Of all, the child's too: it counts when it was waited for."""
    os.waitpid(child, 0)
    return total.ticks()


def _safely(what: Callable[[], None]) -> bool:
    """The command must not suffer from a defect of ours."""
    try:
        what()
    except Exception as wrong:  # noqa: BLE001  # whatever it is
        sys.stderr.write(f"paramon: the profile ends here: {type(wrong).__name__}: {wrong}\n")
        return False
    return True
