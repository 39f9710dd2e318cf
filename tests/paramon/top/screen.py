"""A terminal whose other end is the test: `paramon top` in it, keys in, the screen out."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).parents[3]
CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
LEAVE = "\x1b[?1049l"
PATIENCE_SECONDS = 60
TOP = (sys.executable, "-m", "paramon", "top")


def environment(**more: str) -> dict[str, str]:
    """Without the width that who runs the tests has."""
    outside = {name: text for name, text in os.environ.items() if name != "COLUMNS"}
    return {**outside, "PYTHONPATH": str(ROOT / "src"), "LC_ALL": "C.UTF-8", "PARACLOUD_LANGUAGE": "",
            "TERM": "xterm-256color", **more}  # fmt: skip


def _own_terminal() -> None:
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # tests in the background are started with it ignored


class Screen:
    def __init__(
        self, *arguments: str, columns: int = 110, lines: int = 24, program: Sequence[str] = TOP, **more: str
    ) -> None:
        self.master, slave = pty.openpty()
        self.resize(columns, lines, told=False)
        self.before = termios.tcgetattr(slave)
        self._text = ""
        self.process = subprocess.Popen(
            [*program, *arguments],
            env=environment(**more), stdin=slave, stdout=slave, stderr=subprocess.PIPE, start_new_session=True,
            preexec_fn=_own_terminal,  # noqa: PLW1509  # no threads here
        )  # fmt: skip
        self._slave = slave

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.process.stderr.close()
        os.close(self._slave)
        if self.master >= 0:
            os.close(self.master)

    def resize(self, columns: int, lines: int, *, told: bool = True) -> None:
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if told:
            os.kill(self.process.pid, signal.SIGWINCH)

    def press(self, keys: str) -> None:
        os.write(self.master, keys.encode())

    def shown(self) -> list[str]:
        """The lines of the last drawing that is whole."""
        drawn = self._text.split("\x1b[H")
        whole = [one for one in drawn[1:] if "\x1b[J" in one]
        return CONTROL.sub("", whole[-1].split("\x1b[J")[0]).replace("\r", "").split("\n") if whole else []

    def until(self, *parts: str, without: str = "\0") -> list[str]:
        """The screen, once all of that is on it."""
        deadline = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < deadline:
            self._take()
            lines = self.shown()
            text = "\n".join(lines)
            if lines and all(part in text for part in parts) and without not in text:
                return lines
        raise AssertionError(f"{parts} never came:\n" + "\n".join(self.shown()) + self._text[-300:])

    def ended(self) -> int:
        """Its exit code, when it has left the terminal as it was."""
        while self.process.poll() is None:
            self._take()
        self._take()
        assert LEAVE in self._text
        assert termios.tcgetattr(self._slave) == self.before
        return self.process.returncode

    def _take(self) -> None:
        if select.select([self.master], [], [], 0.2)[0]:
            self._text += os.read(self.master, 1 << 16).decode("utf-8", "replace")
