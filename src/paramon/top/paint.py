"""The board as lines of text, with the colours of ECMA-48 or none."""

from __future__ import annotations

from collections.abc import Sequence

from paramon.text import cut, left, right, width
from paramon.top.board import Board
from paramon.top.fit import fitted
from paramon.top.gauges import Gauge, pieces
from paramon.top.words import SHORT, Say

BAR = 12
BOLD, DIM, REVERSE, GREEN, YELLOW, RED, CYAN = "1", "2", "7", "32", "33", "31", "36"


def paint(board: Board, columns: int, say: Say, *, is_colourful: bool) -> list[str]:
    """No line is wider than that. A piece of a line is a text and its style."""
    lines: list[list[tuple[str, str]]] = [[(board.title, BOLD)], [(board.status, CYAN)], [(board.summary, "")]]
    lines += [_gauges(one) for one in (*board.nodes, *board.gpus)]
    lines.append([])
    table = fitted(board, columns)
    widths = _widths(table, columns)
    lines.append([(_cells(table, table.heads, widths), REVERSE)])
    for row in table.rows:
        style = RED if row.heat > 1.5 else GREEN if row.heat > 0.5 else "" if row.heat > 0.01 else DIM
        lines.append([(_cells(table, row.cells, widths, row.plot), style)])
    more = board.all_rows - len(board.rows)
    lines.append([(say(f"… {more} more", f"… 另有 {more} 个") if more > 0 else "", DIM)])
    lines.append([(say(*SHORT), DIM)])
    return [_line(one, columns, is_colourful=is_colourful) for one in lines]


def _gauges(gauges: Sequence[Gauge]) -> list[tuple[str, str]]:
    return [(text, _style(kind, part)) for text, kind, part in pieces(gauges, BAR)]


def _style(kind: str, part: float) -> str:
    if kind == "bar":
        return RED if part > 0.95 else YELLOW if part > 0.7 else GREEN
    return {"name": BOLD, "plot": CYAN}.get(kind, "")


def _widths(board: Board, columns: int) -> list[int]:
    """The last one has what is left."""
    cells = [board.heads, *[row.cells for row in board.rows]]
    widths = [max(map(width, column)) for column in zip(*cells)]
    widths[-1] = max(columns - sum(widths[:-1]) - len(_plot(board)) - len(widths) + 1, 8)
    return widths


def _cells(board: Board, cells: Sequence[str], widths: Sequence[int], plot: str = "") -> str:
    parts = [(right if is_number else left)(cell, size) for cell, size, is_number in zip(cells, widths, board.numeric)]
    return " ".join(parts[:-1]) + " " + _plot(board, plot) + parts[-1]


def _plot(board: Board, plot: str = "") -> str:
    """It stands before the command."""
    return left(plot, board.plot_columns) + " " if board.plot_columns else ""


def _line(pieces: Sequence[tuple[str, str]], columns: int, *, is_colourful: bool) -> str:
    found, room = "", columns
    for text, style in pieces:
        shown = cut(text, room)
        room -= width(shown)
        found += f"\x1b[{style}m{shown}\x1b[0m" if style and is_colourful and shown else shown
        if room <= 0:
            break
    return found
