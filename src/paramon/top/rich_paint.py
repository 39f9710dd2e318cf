"""The board drawn by rich, where it is installed: finer colours, columns that fit the window."""

from __future__ import annotations

from io import StringIO

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from paramon.top.board import Board
from paramon.top.fit import fitted
from paramon.top.gauges import Gauge, pieces
from paramon.top.words import SHORT, Say

BAR = 14


def paint(board: Board, columns: int, say: Say, *, is_colourful: bool) -> list[str]:
    """No line is wider than that."""
    more = board.all_rows - len(board.rows)
    parts: list[RenderableType] = [
        _line(board.title, "bold"),
        _line(board.status, "cyan"),
        _line(board.summary, ""),
        *[_gauges(one) for one in (*board.nodes, *board.gpus)],
        Text(""),
        _table(fitted(board, columns)),
        _line(say(f"… {more} more", f"… 另有 {more} 个") if more > 0 else "", "dim"),
        _line(say(*SHORT), "dim"),
    ]
    out = StringIO()
    console = Console(
        file=out, width=columns, height=1000, force_terminal=is_colourful, no_color=not is_colourful, highlight=False,
        color_system="auto" if is_colourful else None, legacy_windows=False, emoji=False, markup=False,
    )  # fmt: skip
    console.print(Group(*parts), end="")
    return out.getvalue().rstrip("\n").split("\n")


def _line(text: str, style: str) -> Text:
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def _gauges(gauges: list[Gauge]) -> Text:
    line = Text(no_wrap=True, overflow="ellipsis")
    for text, kind, part in pieces(gauges, BAR):
        line.append(text, _colour(part) if kind == "bar" else {"name": "bold", "plot": "bright_blue"}.get(kind, ""))
    return line


def _table(board: Board) -> Table:
    table = Table(
        box=None, pad_edge=False, padding=(0, 1, 0, 0), expand=True, header_style="reverse", collapse_padding=True
    )
    for head, is_number in zip(board.heads[:-1], board.numeric):
        table.add_column(head, justify="right" if is_number else "left", no_wrap=True)
    if board.plot_columns:
        table.add_column("", width=board.plot_columns, no_wrap=True)
    table.add_column(board.heads[-1], ratio=1, no_wrap=True, overflow="ellipsis", min_width=8)
    for row in board.rows:
        cells = [Text(cell) for cell in row.cells]
        if board.plot_columns:
            cells.insert(-1, Text(row.plot, _colour(row.heat)))
        table.add_row(*cells, style="" if row.heat > 0.01 else "dim")
    return table


def _colour(part: float) -> str:
    """From green over yellow to red."""
    part = max(0.0, min(part, 1.0))
    red, green = (int(510 * part), 200) if part < 0.5 else (255, int(200 * 2 * (1 - part)) + 40)
    return f"rgb({min(red, 255)},{min(green, 200)},60)"
