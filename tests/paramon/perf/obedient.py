"""A program that does what it is told, so that a test knows what it has spent."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

OBEYS = """
import os, subprocess, sys, threading, time
argv = [sys.executable, "-S", "-c", sys.argv[1], sys.argv[1]]
def burn(seconds):
    until = time.thread_time() + seconds
    while time.thread_time() < until: pass
def child(**how):
    return subprocess.Popen(argv, stdin=-1, stdout=-1, text=True, **how)
def tell(one, words):
    print(words, file=one.stdin, flush=True); return one.stdout.readline()
for line in sys.stdin:
    exec(line); print("did it", flush=True)
"""


class Program:
    """Does what it is told, a line of Python at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process
        self.do("pass")  # it has started

    def do(self, line: str) -> None:
        print(line, file=self.process.stdin, flush=True)
        assert self.process.stdout.readline() == "did it\n"

    def ask(self, what: str) -> int:
        print(f"print({what}, flush=True)", file=self.process.stdin, flush=True)
        found = int(self.process.stdout.readline())
        assert self.process.stdout.readline() == "did it\n"
        return found


@contextmanager
def program() -> Iterator[Program]:
    argv = [sys.executable, "-S", "-c", OBEYS, OBEYS]
    with subprocess.Popen(argv, stdin=-1, stdout=-1, text=True, start_new_session=True) as process:
        try:
            yield Program(process)
        finally:
            process.kill()
