"""A terminal as a place to look at: its own page, keys as they are pressed, everything as before when it is left."""

from __future__ import annotations

import os
import re
import select
import signal
import termios
import tty
from types import FrameType

NAMES = {
    b"[A": "up", b"[B": "down", b"[C": "right", b"[D": "left", b"OA": "up", b"OB": "down", b"OC": "right",
    b"OD": "left", b"[5~": "pageup", b"[6~": "pagedown", b"[H": "home", b"[F": "end", b"[1~": "home", b"[4~": "end",
    b"OH": "home", b"OF": "end",
}  # fmt: skip
KEY = re.compile(rb"\x1b([\[O][0-9;]*[A-Za-z~])|([^\x1b])", re.DOTALL)
ENTER, LEAVE = b"\x1b[?1049h\x1b[?25l\x1b[2J", b"\x1b[0m\x1b[?25h\x1b[?1049l"


def keys_in(data: bytes) -> list[str]:
    """By name; sequences that are none of ours are left out."""
    found = []
    for sequence, plain in KEY.findall(data):
        name = NAMES.get(sequence, "") if sequence else plain.decode("ascii", "ignore")
        if name:
            found.append(name)
    return found


class Terminal:
    """Used as a context. A window that changes its size, and a stop (Ctrl-Z) that is over, end a wait."""

    def __init__(self, keyboard: int, screen: int) -> None:
        self._keyboard, self._screen = keyboard, screen
        self._before = termios.tcgetattr(keyboard)
        self._woken, self._waker = os.pipe()
        for end in (self._woken, self._waker):
            os.set_blocking(end, False)

    def __enter__(self) -> Terminal:
        self._old = {number: signal.signal(number, self._told) for number in (signal.SIGWINCH, signal.SIGTSTP)}
        self._old_waker = signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        self._begin()
        return self

    def __exit__(self, *_: object) -> None:
        signal.set_wakeup_fd(self._old_waker)
        for number, handler in self._old.items():
            signal.signal(number, handler)
        self._end()
        os.close(self._woken)
        os.close(self._waker)

    def size(self) -> tuple[int, int]:
        """Columns and lines."""
        try:
            return tuple(os.get_terminal_size(self._screen))  # type: ignore[return-value]  # it is a pair
        except OSError:
            return 80, 24

    def wait(self, seconds: float) -> list[str] | None:
        """The keys that were pressed, perhaps none; None where the keyboard is gone."""
        ready, _, _ = select.select([self._keyboard, self._woken], [], [], seconds)
        if self._woken in ready:
            os.read(self._woken, 512)
        if self._keyboard not in ready:
            return []
        try:
            data = os.read(self._keyboard, 512)
        except OSError:
            return None
        return keys_in(data) if data else None

    def show(self, lines: list[str]) -> None:
        """In one piece, so that nothing flickers. OSError where the terminal is gone."""
        text = "\x1b[H" + "\x1b[K\r\n".join(lines) + "\x1b[K\x1b[J"
        rest = text.encode("utf-8", "replace")
        while rest:
            rest = rest[os.write(self._screen, rest) :]

    def _told(self, number: int, _: FrameType | None) -> None:
        if number == signal.SIGTSTP:
            self._end()
            os.kill(os.getpid(), signal.SIGSTOP)
            self._begin()

    def _begin(self) -> None:
        tty.setcbreak(self._keyboard, termios.TCSANOW)
        os.write(self._screen, ENTER)

    def _end(self) -> None:
        try:
            os.write(self._screen, LEAVE)
            termios.tcsetattr(self._keyboard, termios.TCSANOW, self._before)
        except (OSError, termios.error):
            pass  # it was closed
