"""A statement's charges and purchases as rows of a table: the same in CSV and XLSX."""

from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from typing import TypeAlias

from paracloud.kit.money import MICRO
from paracloud.statements.statement import Line, Movement, Statement
from paracloud.statements.words import Language, kind_word

Cell: TypeAlias = str | int | Decimal | datetime | None
COLUMNS = (
    "charge_id", "revision", "kind", "project", "user", "job", "name", "record", "centre", "queue", "product_line",
    "state", "started_at", "ended_at", "charged_at", "cores", "cards", "seconds", "core_hours", "card_hours", "list",
    "amount", "package", "credit", "wallet", "price", "reason", "entry",
)  # fmt: skip
SECONDS_AN_HOUR = 3600
FORMULA = frozenset("=+-@\t\r\n")
"""How a cell begins that a spreadsheet would compute."""


def row_of(line: Line, project: str, language: Language) -> list[Cell]:
    """In the order of COLUMNS."""
    sums = line.sums
    return [
        str(line.usage), line.revision, kind_word(line.kind, language), project, line.user, line.job, line.name,
        line.record, line.centre, line.queue, kind_word(line.product_line, language), line.state,
        line.started_at, line.ended_at, line.charged_at, line.cores, line.cards, line.elapsed_seconds,
        hours(sums.core_seconds), hours(sums.card_seconds), units(sums.list), units(sums.amount),
        units(sums.package), units(sums.credit), units(sums.wallet), str(line.price), line.reason,
        None if line.entry is None else str(line.entry),
    ]  # fmt: skip


def purchases(statement: Statement, language: Language) -> Iterator[list[Cell]]:
    """What the wallet paid besides charges, such as packages and fees, in the order of COLUMNS: it has no amount of
    usage. With these, the column of the wallet sums to all that it paid."""
    for one in statement.movements:
        if one.is_cost:
            yield _purchase(one, statement.payer.projects[one.project], language)


def _purchase(one: Movement, project: str, language: Language) -> list[Cell]:
    filled: dict[str, Cell] = {
        "charge_id": str(one.entry),
        "kind": kind_word(one.kind, language),
        "project": project,
        "name": one.of,
        "charged_at": one.at,
        "wallet": units(-one.micro),
        "reason": one.reason,
        "entry": str(one.entry),
    }
    return [filled.get(column) for column in COLUMNS]


def units(micro: int) -> Decimal:
    """Of the currency, with six decimals."""
    return Decimal(micro).scaleb(-6)


def hours(seconds: int) -> Decimal:
    """With six decimals, the nearest, which whole seconds are never in the middle of two of; the seconds beside them
    are exact."""
    micro, rest = divmod(seconds * MICRO, SECONDS_AN_HOUR)
    return units(micro + (2 * rest > SECONDS_AN_HOUR))


def plain(cell: Cell) -> str:
    """As text. A text that a spreadsheet would take for a formula gets an apostrophe: whoever names a job must not
    reach into the computer of whoever opens the bill."""
    if isinstance(cell, str):  # first, as most are
        return f"'{cell}" if cell[:1] in FORMULA else cell
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return moment(cell)
    return f"{cell:f}" if isinstance(cell, Decimal) else str(cell)


def moment(at: datetime) -> str:
    """In whole seconds of UTC; a third of the time that strftime takes."""
    return f"{at.astimezone(UTC).isoformat()[:19]}Z"
