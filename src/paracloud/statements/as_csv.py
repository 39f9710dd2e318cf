"""A statement's charges and purchases as comma-separated values (RFC 4180)."""

import csv
from collections.abc import Sequence
from pathlib import Path

from paracloud.statements.rows import COLUMNS, plain, purchases, row_of
from paracloud.statements.statement import Line, Statement
from paracloud.statements.words import Language, word


class CsvFile:
    """Written page by page. In Chinese it begins with a byte order mark, without which Excel misreads it."""

    def __init__(self, path: Path, statement: Statement, language: Language) -> None:
        self._statement, self._language = statement, language
        encoding = "utf-8-sig" if language is Language.ZH else "utf-8"
        self._file = path.open("w", encoding=encoding, newline="")
        self._out = csv.writer(self._file)
        self._out.writerow(word(column, language) for column in COLUMNS)

    def add(self, lines: Sequence[Line]) -> None:
        names = self._statement.payer.projects
        self._out.writerows(
            [plain(cell) for cell in row_of(line, names[line.project], self._language)] for line in lines
        )

    def close(self) -> None:
        rows = purchases(self._statement, self._language)
        self._out.writerows([plain(cell) for cell in row] for row in rows)
        self._file.close()
