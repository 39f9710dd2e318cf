"""Listings whose columns are set apart by a nonce: no name that a user chose can look like a column or a row."""

from collections.abc import Sequence

from paracloud.dialects.answers import broken
from paracloud.kit.command import Completed

ROWS_MOST = 250_000
"""Ten of the largest queues there are; more would take the worker's memory and time at the centre's will."""


def rows(text: str, nonce: str, columns: int, completed: Completed, argv: Sequence[str]) -> list[tuple[str, ...]]:
    """Rows of `columns` texts. The first column holds no line break, the last one may; what a start-up file wrote
    before the first row is left out. Broken where a row is not whole."""
    pieces = text.split(nonce)
    number, rest = divmod(len(pieces) - 1, columns - 1)
    if number > ROWS_MOST:
        raise broken(f"gave more than {ROWS_MOST} rows", f"给出了超过 {ROWS_MOST} 行", completed, argv)
    if rest or (text and not text.endswith("\n")):
        raise broken("gave a row that is not whole", "给出了不完整的一行", completed, argv)
    found = []
    for row in range(number):
        start, end = row * (columns - 1), (row + 1) * (columns - 1)
        first = pieces[start].rpartition("\n")[2]
        last = pieces[end].rpartition("\n")[0]
        found.append((first, *pieces[start + 1 : end], last))
    return found
