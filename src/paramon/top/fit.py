"""The table on a screen that is too narrow for it: what says least is left out, so that what is there can be read."""

from __future__ import annotations

from paramon.text import width
from paramon.top.board import SPARK, Board

COMMAND_LEAST = 8
TIME, WAIT, WRITTEN, READ, THREADS, STATE = -2, -3, -4, -5, -8, -9
"""Where columns stand, from the last one on."""
PLOT = 0
LEAVING = (TIME, PLOT, READ, WRITTEN, THREADS, STATE, WAIT)


def fitted(board: Board, columns: int) -> Board:
    """As many columns of the table as there is room for."""
    widths = [max(map(width, column)) for column in zip(board.heads, *[row.cells for row in board.rows])]
    widths[-1] = COMMAND_LEAST
    left_out, room = set(), columns - sum(widths) - len(widths) - SPARK
    for one in LEAVING:
        if room < 0:
            left_out.add(one)
            room += 1 + (SPARK if one == PLOT else widths[one])
    kept = [at for at in range(len(widths)) if at - len(widths) not in left_out]
    return board._replace(
        heads=[board.heads[at] for at in kept],
        numeric=[board.numeric[at] for at in kept],
        rows=[row._replace(cells=[row.cells[at] for at in kept]) for row in board.rows],
        plot_columns=0 if PLOT in left_out else SPARK,
    )
