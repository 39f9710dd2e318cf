"""A statement as an Excel workbook: sums, users, the account, and every charge. Texts are written as texts, whatever
they begin with; numbers with all their decimals."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

import xlsxwriter

from paracloud.statements.rows import COLUMNS, Cell, hours, purchases, row_of, units
from paracloud.statements.statement import Line, Statement, Sums
from paracloud.statements.words import Language, kind_word, word

SUMMED = ("jobs", "core_hours", "card_hours", "list", "amount", "package", "credit", "wallet")
MOST_ROWS = 1_048_576
"""Of a sheet (Excel's own limit): further charges go to a further one."""
WIDTH = 16


class XlsxFile:
    """Written page by page; row by row to a file, so that memory does not grow with the month."""

    def __init__(self, path: Path, statement: Statement, language: Language) -> None:
        self._statement, self._language = statement, language
        self._book = xlsxwriter.Workbook(path, {"constant_memory": True})
        self._head = self._book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self._time = self._book.add_format({"num_format": "yyyy-mm-dd hh:mm:ss"})
        self._number = self._book.add_format({"num_format": "#,##0.000000"})
        self._at, self._sheets = 0, 0
        self._sums()
        self._by_user()
        self._account()
        self._begin_charges()

    def add(self, lines: Sequence[Line]) -> None:
        names = self._statement.payer.projects
        self._charge(row_of(line, names[line.project], self._language) for line in lines)

    def close(self) -> None:
        self._charge(purchases(self._statement, self._language))
        self._book.close()

    def _sums(self) -> None:
        of = self._statement
        self._begin("usage_title", ("project", "product_line", "centre", "queue", *SUMMED))
        for one in of.used:
            line = kind_word(one.product_line, self._language)
            self._put([one.project, line, one.centre, one.queue, *_cells(one.sums)])
        self._put([word("total", self._language), None, None, None, *_cells(of.total)])

    def _by_user(self) -> None:
        self._begin("users_title", ("project", "user", *SUMMED))
        for one in self._statement.by_user:
            self._put([one.project, one.user, *_cells(one.sums)])

    def _account(self) -> None:
        of = self._statement
        self._begin("money_title", ("time", "project", "kind", "about", "reason", "moved"))
        self._balance("opening", of.opening)
        for one in of.movements:
            kind = kind_word(one.kind, self._language)
            self._put([one.at, of.payer.projects[one.project], kind, one.of, one.reason, units(one.micro)])
        self._balance("charged", of.charged)
        self._balance("closing", of.closing)

    def _balance(self, what: str, micro: int) -> None:
        self._put([None, None, word(what, self._language), None, None, units(micro)])

    def _begin_charges(self) -> None:
        self._sheets += 1
        self._begin("charged", COLUMNS, f" {self._sheets}" if self._sheets > 1 else "")

    def _charge(self, rows: Iterable[list[Cell]]) -> None:
        for row in rows:
            if self._at == MOST_ROWS:
                self._begin_charges()
            self._put(row)

    def _begin(self, title: str, columns: Sequence[str], number: str = "") -> None:
        self._sheet = self._book.add_worksheet(word(title, self._language) + number)
        self._sheet.freeze_panes(1, 0)
        self._sheet.set_column(0, len(columns) - 1, WIDTH)
        for at, column in enumerate(columns):
            self._sheet.write_string(0, at, word(column, self._language), self._head)
        self._at = 1

    def _put(self, row: Sequence[Cell]) -> None:
        for at, cell in enumerate(row):
            if isinstance(cell, str):
                self._sheet.write_string(self._at, at, cell)
            elif isinstance(cell, datetime):
                self._sheet.write_datetime(self._at, at, cell.astimezone(UTC).replace(tzinfo=None), self._time)
            elif isinstance(cell, Decimal):
                self._sheet.write_number(self._at, at, cell, self._number)
            elif cell is not None:
                self._sheet.write_number(self._at, at, cell)
        self._at += 1


def _cells(sums: Sums) -> list[Cell]:
    """In the order of SUMMED."""
    money = (sums.list, sums.amount, sums.package, sums.credit, sums.wallet)
    return [sums.jobs, hours(sums.core_seconds), hours(sums.card_seconds), *(units(one) for one in money)]
