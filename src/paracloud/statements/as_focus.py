"""The rows of FOCUS 1.2 as comma-separated values."""

import csv
from collections.abc import Iterable, Sequence
from pathlib import Path

from paracloud.statements.focus import Focus, Row, text_of
from paracloud.statements.focus_columns import WRITTEN
from paracloud.statements.rows import plain
from paracloud.statements.statement import Line, Statement


class FocusFile:
    """Written page by page; its words are FOCUS's own, in English."""

    def __init__(self, path: Path, statement: Statement, provider: str) -> None:
        self._focus = Focus(statement, provider)
        self._file = path.open("w", encoding="utf-8", newline="")
        self._out = csv.writer(self._file)
        self._out.writerow(WRITTEN)

    def add(self, lines: Sequence[Line]) -> None:
        for line in lines:
            self._write(self._focus.of_line(line))

    def close(self) -> None:
        self._write(self._focus.of_purchases())
        self._file.close()

    def _write(self, rows: Iterable[Row]) -> None:
        for row in rows:
            cells = map(row.get, WRITTEN)
            self._out.writerow([plain(cell) if isinstance(cell, str) else text_of(cell) for cell in cells])
