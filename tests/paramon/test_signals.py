"""Signals that wait are told of by their numbers, with what sent them; where none came, none is.

In a process of its own: the tests' has other threads, which block none.
"""

import os
import signal
import subprocess
import sys

SCRIPT = """
import os, signal
from paramon.signals import Signals

numbers = {signal.SIGUSR1, signal.SIGCHLD, signal.SIGRTMAX}
signal.pthread_sigmask(signal.SIG_BLOCK, numbers)
signals = Signals(numbers)
for number in (signal.SIGUSR1, signal.SIGRTMAX):
    os.kill(os.getpid(), number)
    print(*signals.wait(10))
print(signals.wait(0), signals.wait(-1), signals.wait(0.01))
if not os.fork():
    os._exit(3)
print(*signals.wait(10))
"""


def test_who_was_sent_a_signal_is_told_its_number_and_who_sent_it():
    known = {**os.environ, "PYTHONPATH": "src"}
    told = subprocess.run(
        [sys.executable, "-c", SCRIPT], env=known, check=True, capture_output=True, text=True, timeout=60
    ).stdout.splitlines()
    somebody = 0  # SI_USER
    assert told == [
        f"{int(signal.SIGUSR1)} {somebody}",
        f"{int(signal.SIGRTMAX)} {somebody}",
        "None None None",
        f"{int(signal.SIGCHLD)} {os.CLD_EXITED}",
    ]


TAKEN = """
import os, select, signal
from paramon.signals import Signals

signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR1})
signals, other = Signals({signal.SIGUSR1}), Signals({signal.SIGUSR1})


class Taken:
    def poll(self, most):
        told = select.poll()
        told.register(signals.fileno(), select.POLLIN)
        found = told.poll(most)
        print(*other.wait(0))
        return found


signals._poll = Taken()
os.kill(os.getpid(), signal.SIGUSR1)
print(signals.wait(10))
"""


def test_one_that_another_thread_took_meanwhile_is_not_waited_for():
    """A library's own thread blocks none, and may be given what was there a moment ago."""
    known = {**os.environ, "PYTHONPATH": "src"}
    told = subprocess.run(
        [sys.executable, "-c", TAKEN], env=known, check=True, capture_output=True, text=True, timeout=60
    ).stdout.splitlines()
    assert told == [f"{int(signal.SIGUSR1)} 0", "None"]
