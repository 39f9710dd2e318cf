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
