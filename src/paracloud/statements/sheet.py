"""A table on paper: what its columns say, and how wide it is. Every cell is lines, the first of them the plain one."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from unicodedata import east_asian_width

from paracloud.statements.rows import hours, units
from paracloud.statements.statement import Sums

FEN = 10_000
"""Micro-units."""
NOTHING = "–"
TEXT_MM, GAP_MM = 50.0, 2.4
WIDE_MM, DIGIT_MM, NARROW_MM = 2.9, 1.57, 1.45
"""What a letter of 8 points takes: of Chinese, a digit, any other."""
Cell = Sequence[str]


@dataclass(frozen=True, slots=True)
class Sheet:
    """`lead` columns are short texts that are never broken; then one of texts, which may be as long as people make
    them; then numbers. The last row is the total."""

    columns: Sequence[str]
    lead: int
    rows: Sequence[Sequence[Cell]]
    total: Sequence[Cell]

    @property
    def width_mm(self) -> float:
        """That it needs at least."""
        widths = [
            max(map(_mm, (heading, *(line for row in (*self.rows, self.total) for line in row[at][:1]))))
            for at, heading in enumerate(self.columns)
        ]
        return TEXT_MM + GAP_MM + sum(width + GAP_MM for at, width in enumerate(widths) if at != self.lead)

    def content(self) -> dict[str, object]:
        return {
            "columns": self.columns, "lead": self.lead, "rows": self.rows, "total": self.total,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Figure:
    """A column of sums. `is_plain`: there also where it is nothing in every row."""

    of: Callable[[Sums], int]
    said: Callable[[Sequence[int]], list[str]]
    is_plain: bool = field(default=False, kw_only=True)


def money(column: Sequence[int]) -> list[str]:
    """With two decimals where that says all of the column exactly, else all with six."""
    digits = 2 if not any(micro % FEN for micro in column) else 6
    return [f"{units(micro):,.{digits}f}" if micro else NOTHING for micro in column]


def _hours(column: Sequence[int]) -> list[str]:
    return [f"{hours(seconds):,.2f}" if seconds else NOTHING for seconds in column]


def _counts(column: Sequence[int]) -> list[str]:
    return [f"{count:,}" for count in column]


FIGURES: Mapping[str, Figure] = {
    "jobs": Figure(lambda of: of.jobs, _counts, is_plain=True),
    "core_hours": Figure(lambda of: of.core_seconds, _hours, is_plain=True),
    "card_hours": Figure(lambda of: of.card_seconds, _hours),
    "amount": Figure(lambda of: of.amount, money, is_plain=True),
    "package": Figure(lambda of: of.package, money),
    "credit": Figure(lambda of: of.credit, money),
    "wallet": Figure(lambda of: of.wallet, money),
}


def figures(rows: Sequence[Sums]) -> dict[str, list[str]]:
    """What stands in each column, by its name: of cards, packages and credits where there is something; what the wallet
    pays where that is not all of the cost."""
    columns = {name: [one.of(row) for row in rows] for name, one in FIGURES.items()}
    if columns["wallet"] == columns["amount"]:
        del columns["wallet"]
    return {
        name: FIGURES[name].said(values) for name, values in columns.items() if FIGURES[name].is_plain or any(values)
    }


def _mm(text: str) -> float:
    return sum(
        DIGIT_MM if letter.isdigit() else WIDE_MM if east_asian_width(letter) in "WF" else NARROW_MM for letter in text
    )
