"""A sensor that is asked in a thread of its own: the driver behind it may take seconds, or never answer any more, and
neither what else is looked at nor the end of a job waits for that."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Callable, Protocol

from paramon.sensors.sensor import Sensor, Unavailable

if TYPE_CHECKING:
    from queue import SimpleQueue
    from threading import Thread

READ, HURRY, CLOSE = "read", "hurry", "close"
PATIENCE_SECONDS = 0.1
"""So long a look waits for what it asks for; what comes later is the next look's."""
SILENT_SECONDS = 5.0
"""Then it is said that it does not answer; and one that is being closed is not waited for any longer."""
ANEW_SECONDS = 60.0
"""From one try to make a sensor that cannot be had to the next: to ask a driver for its cards may be dear."""

stuck: list[str] = []
"""Names of those that did not answer when they were closed: their threads are still in the driver."""


class Paced(Sensor, Protocol):
    """It decides itself how often it asks what."""

    def hurry(self) -> None:
        """The next read is the last, and asks all."""


class Aside:
    """`name`: of the sensor that `make` makes, which is called in that thread at the first read: what it opens is none
    of those that were started before, and it heeds no signals."""

    def __init__(self, name: str, make: Callable[[], Paced], clock: Callable[[], float] = time.monotonic) -> None:
        self.name, self._make, self._clock = name, make, clock
        self._thread: Thread | None = None
        self._asked: SimpleQueue[str]
        self._answers: SimpleQueue[dict[str, int] | Exception]
        self._since: float | None = None
        """When it was asked what it has not answered yet."""
        self._patience = PATIENCE_SECONDS
        self._lacking: tuple[str, str] | None = None
        self._due = float("-inf")

    def read(self) -> dict[str, int]:
        """As its sensor; nothing where that has not answered yet, and Unavailable where it has not for long."""
        if self._since is None:
            self._since = self._clock()
            self._ask()
        answer = self._answer()
        if answer is None:
            if self._clock() - self._since >= SILENT_SECONDS:
                raise Unavailable("its driver does not answer", "驱动程序没有应答")
            return {}
        self._since = None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def hurry(self) -> None:
        """The next read is the last."""
        self._patience = SILENT_SECONDS if self._since is None else PATIENCE_SECONDS
        if self._thread is not None:
            self._asked.put(HURRY)

    def close(self) -> None:
        if self._thread is None:
            return
        self._asked.put(CLOSE)
        self._thread.join(SILENT_SECONDS)
        if self._thread.is_alive():
            stuck.append(self.name)

    def _ask(self) -> None:
        if self._thread is None:
            import threading  # most machines have no such sensor
            from queue import SimpleQueue

            self._asked, self._answers = SimpleQueue(), SimpleQueue()
            self._thread = threading.Thread(target=self._work, name=self.name, daemon=True)
            self._thread.start()
        self._asked.put(READ)

    def _answer(self) -> dict[str, int] | Exception | None:
        from queue import Empty

        try:
            return self._answers.get(timeout=self._patience)
        except Empty:
            return None

    def _work(self) -> None:
        signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
        sensor: Paced | None = None
        while (word := self._asked.get()) != CLOSE:
            try:
                if word == HURRY:
                    if sensor is not None:
                        sensor.hurry()
                    continue
                if sensor is None:
                    sensor = self._made()
                self._answers.put(sensor.read())
            except Exception as wrong:  # noqa: BLE001  # who asks decides what it means
                self._answers.put(wrong)
        if sensor is not None:
            sensor.close()

    def _made(self) -> Paced:
        if self._lacking and self._clock() < self._due:
            raise Unavailable(*self._lacking)
        try:
            return self._make()
        except Unavailable as why:
            self._lacking, self._due = (why.en, why.zh), self._clock() + ANEW_SECONDS
            raise
