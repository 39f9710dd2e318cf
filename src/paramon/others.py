"""Collectors on the other nodes of a job, started and heard of by the one at its script.

Whoever starts one is in a session of its own, so that no signal to the script's group reaches it, and has nothing in
its environment of what the scheduler told the script: a step must not take a share of the job because of that. It ends
when its scheduler has ended the collector, and is not ended before: a step whose srun is killed is killed too, and its
node tries for two seconds to tell srun so (22.05).
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Collection, Mapping, Sequence
from typing import Callable

from paramon.schedulers import Scheduler

FIRST_SECONDS = 5.0
"""So long after the start nothing is asked of the scheduler: a short job does without, and the script's first step has
the number that it has everywhere."""
LONGEST_SECONDS = 60.0
SAID_BYTES = 500
REMARK = "support for cpu binding"
"""Of srun, where a centre has none."""
OF_THE_SCRIPT = ("SLURM_", "SRUN_", "SBATCH_")
KEPT = "SLURM_CONF"


class Others:
    """`own`: the collector's command line there."""

    def __init__(self, scheduler: Scheduler, own: Sequence[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._scheduler, self._own, self._clock = scheduler, own, clock
        self._pause, self._due = FIRST_SECONDS, clock() + FIRST_SECONDS
        self._started: dict[int, tuple[int, str]] = {}
        """By the file in which it is heard: the process, and the nodes that it is for."""
        self._silent: set[int] = set()
        """Processes that say nothing any more, and have not ended yet."""
        self._said: dict[int, bytes] = {}
        self._ended: dict[str, str] = {}
        """By nodes: what was said when there was no collector any more."""
        self._told: Sequence[str] = ()

    @property
    def files(self) -> Collection[int]:
        return self._started.keys()

    def look(self, commands: Callable[[], Sequence[str]]) -> Sequence[int]:
        """Start what can be started by now: the pids. `commands`: as Scheduler.starts."""
        now, pids = self._clock(), []
        if now < self._due:
            return []
        for nodes, how in self._scheduler.starts(commands):
            file, process = _started([*how, *self._own])
            self._started[file], self._said[file] = (process, nodes), b""
            pids.append(process)
        self._pause = min(2 * self._pause, LONGEST_SECONDS)
        self._due = now + self._pause
        return pids

    def hear(self, ready: Collection[int]) -> None:
        """Nobody is waited for: one that has closed what it says may go on for as long as it likes."""
        for file in [file for file in self._started if file in ready]:
            more = os.read(file, 4096)
            self._said[file] = (self._said[file] + more)[-SAID_BYTES:]
            if not more:
                process, nodes = self._started.pop(file)
                os.close(file)
                self._silent.add(process)
                self._ended[nodes] = _reason(self._said.pop(file).decode("utf-8", "replace"))

        self._silent -= {process for process in self._silent if os.waitpid(process, os.WNOHANG)[0]}

    def news(self) -> Sequence[str] | None:
        """Why nodes are not watched, in English and in Chinese; nothing where they all are; None: as before."""
        why = self._why()
        if why == self._told:
            return None
        self._told = why
        return why

    def _why(self) -> Sequence[str]:
        ended = [f"{nodes}: {said}" for nodes, said in self._ended.items()]
        waiting = ", ".join(self._scheduler.waiting) if self._pause > FIRST_SECONDS else ""
        if not ended and not waiting:
            return ()
        return tuple(
            "; ".join([*ended, f"{waiting}: {why}"] if waiting else ended) for why in self._scheduler.why_waiting
        )


def _reason(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip() and REMARK not in line]
    return "; ".join(lines) or "paramon has ended there"


def _started(argv: list[str]) -> tuple[int, int]:
    """The file in which all that it says is read, and the process."""
    ours, theirs = os.pipe2(os.O_CLOEXEC)
    os.set_blocking(ours, False)
    process = os.fork()
    if process:
        os.close(theirs)
        return ours, process
    try:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(theirs, 1)
        os.dup2(theirs, 2)
        signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and what is ignored stays so
        os.execvpe(argv[0], argv, _environment(os.environ))  # noqa: S606  # no shell: words that are ours
    except OSError as wrong:
        os.write(2, f"{argv[0]}: {wrong.strerror}".encode())
    finally:
        os._exit(127)


def _environment(known: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in known.items() if name == KEPT or not name.startswith(OF_THE_SCRIPT)}
