"""Programs that are kept running: one that ends is started again, a little later each time that it ends soon."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import structlog

log = structlog.get_logger()

STOP_SECONDS = 15.0
SHORTEST, LONGEST = 0.5, 30.0
"""Seconds before a program is started again."""
HEALTHY_SECONDS = 60.0
"""Whoever lived longer is started again after the shortest pause."""


@dataclass
class Backoff:
    """How long to wait before the next start; `at` are readings of a monotonic clock in seconds."""

    pause: float = SHORTEST
    started_at: float = 0.0

    def started(self, at: float) -> None:
        self.started_at = at

    def ended(self, at: float) -> float:
        """The reading at which to start again."""
        self.pause = SHORTEST if at - self.started_at > HEALTHY_SECONDS else self.pause
        due = at + self.pause
        self.pause = min(LONGEST, self.pause * 2)
        return due


@dataclass
class Child:
    """One of the server's processes; it ends with this one, also when that is killed."""

    word: str
    environment: Mapping[str, str]
    process: subprocess.Popen[bytes] | None = None
    due: float = 0.0
    _backoff: Backoff = field(default_factory=Backoff)

    def start(self) -> None:
        self._backoff.started(time.monotonic())
        self.process = subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "paracloud.app.main", self.word],
            env=dict(self.environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def has_ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def tend(self) -> None:
        """Notice an end, and start again once that is due."""
        if self.process is not None and (status := self.process.poll()) is not None:
            self.process = None
            self.due = self._backoff.ended(time.monotonic())
            pause = round(self.due - time.monotonic(), 1)
            log.error("process.ended", process=self.word, status=status, starts_again_in_s=pause)
        if self.process is None and time.monotonic() >= self.due:
            self.start()


@contextmanager
def running(words: Sequence[str], environment: Mapping[str, str]) -> Iterator[list[Child]]:
    """Started on entering; on leaving they are asked to end, and made to after STOP_SECONDS."""
    children = [Child(word, environment) for word in words]
    try:
        for child in children:
            child.start()
        yield children
    finally:
        stop([child.process for child in children if child.process is not None])


def stop(processes: Sequence[subprocess.Popen[bytes]]) -> None:
    for process in processes:
        process.terminate()
    deadline = time.monotonic() + STOP_SECONDS
    for process in processes:
        try:
            process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def keep(tends: Sequence[Callable[[], None]], *, every: float = 0.2) -> None:
    """Until an exception (a signal's, as a rule) ends it."""
    while True:
        for tend in tends:
            tend()
        time.sleep(every)
