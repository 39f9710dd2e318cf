"""The screen, drawn again and again: in a terminal with keys, elsewhere page after page."""

from __future__ import annotations

import os
import time
from typing import Callable, NamedTuple, Protocol, TextIO

from paramon.streams import columns_of_a_file
from paramon.text import cut, folded
from paramon.top.board import Board, board
from paramon.top.keys import Terminal
from paramon.top.reel import Reel
from paramon.top.state import Extent, State, played, pressed
from paramon.top.words import SMALL, Say, help_lines

NARROWEST, LOWEST = 60, 8
PAGE_COLUMNS, PAGE_LINES = 120, 40
PLAYING_SECONDS = 0.25
WAITING_SECONDS = 0.05
"""From one question whether there is enough for a page to the next."""


class Paint(Protocol):
    def __call__(self, board: Board, columns: int, say: Say, *, is_colourful: bool) -> list[str]: ...


class Look(NamedTuple):
    """How it is looked at. `seconds`: from one drawing to the next. `is_alive`: whether what writes the profile may
    still write. `looks`: so many make the first page, as there are no rates before the second."""

    reel: Reel
    say: Say
    paint: Paint
    seconds: float
    is_colourful: bool
    is_alive: Callable[[], bool]
    looks: int = 0


def in_terminal(look: Look, state: State, terminal: Terminal) -> None:
    """Until somebody leaves, the keyboard is gone, or nothing will ever come. OSError where the screen is gone."""
    before = time.monotonic()
    while not state.is_leaving:
        may_come = look.is_alive()  # before the last look
        look.reel.poll()
        if not may_come and not look.reel.tapes:
            return
        columns, lines = terminal.size()
        extent = Extent(look.reel.start_ms, look.reel.end_ms, max(lines - 12, 1))
        now = time.monotonic()
        state, before = played(state, (now - before) * 1000, extent), now
        terminal.show(screen(look, state, columns, lines))
        keys = terminal.wait(min(look.seconds, PLAYING_SECONDS) if state.is_playing else look.seconds)
        if keys is None:
            return
        for key in keys:
            state = pressed(state, key, extent)


def pages(look: Look, state: State, out: TextIO, *, is_once: bool) -> None:
    """To a file or a pipe, until the profile ends. BrokenPipeError where nobody reads on."""
    while True:
        is_last = not look.is_alive()  # before the last look
        look.reel.poll()
        if not is_last and look.reel.looks < look.looks:
            time.sleep(WAITING_SECONDS)
            continue
        if look.reel.tapes or is_once:
            text = screen(look, state, max(columns_of_a_file(PAGE_COLUMNS), NARROWEST), PAGE_LINES)
            out.write("\n".join(line.rstrip() for line in text[:-1]) + "\n\n")
            out.flush()
        if is_once or is_last or state.moment_ms is not None or look.reel.is_over:
            return
        time.sleep(look.seconds)


def screen(look: Look, state: State, columns: int, lines: int) -> list[str]:
    """Never more lines, nor wider ones, than there is room for."""
    if columns < NARROWEST or lines < LOWEST:
        return folded(look.say(*SMALL), max(columns, 2))[: max(lines, 1)]
    drawn = look.paint(board(look.reel, state, lines, look.say), columns, look.say, is_colourful=look.is_colourful)
    if state.has_help:
        drawn = [*drawn[:2], "", *[cut(line, columns) for line in help_lines(look.say)]]
    return drawn[:lines]


def is_terminal(*files: int) -> bool:
    return all(os.isatty(file) for file in files)
