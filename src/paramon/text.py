"""Numbers and names as people read them, in columns of a terminal."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

BLOCKS = " ▁▂▃▄▅▆▇█"
EIGHTHS = " ▏▎▍▌▋▊▉█"


def clean(text: str) -> str:
    """A name of somebody's process must not speak to the terminal."""
    return "".join(one if one.isprintable() else " " if one in "\t\n" else "�" for one in text)


def width(text: str) -> int:
    """Columns of the terminal: Chinese characters take two."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(one) else 2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text
    )


def cut(text: str, columns: int) -> str:
    """With an ellipsis where it is too long."""
    if width(text) <= columns:
        return text
    return text[: _end(text, 0, columns - 1)] + "…" if columns > 0 else ""


def folded(text: str, columns: int) -> list[str]:
    """Lines that are no wider, broken between words where there are any."""
    lines, begin = [], 0
    while (end := max(_end(text, begin, columns), begin + 1)) < len(text):
        gap = text.rfind(" ", begin, end + 1)
        end = gap if gap > begin else end
        lines.append(text[begin:end].rstrip())
        begin = next((at for at in range(end, len(text)) if text[at] != " "), len(text))
    return [*lines, text[begin:]]


def _end(text: str, begin: int, columns: int) -> int:
    """Of what begins there and fits: a look at each character, however long the rest is."""
    for at in range(begin, len(text)):
        columns -= width(text[at])
        if columns < 0:
            return at
    return len(text)


def word(number: float, one: str, many: str = "") -> str:
    """In English: of one of them, or of any other number (with an s where `many` is left out)."""
    return one if number == 1 else many or one + "s"


def short(nodes: Iterable[str]) -> dict[str, str]:
    """Names of nodes without their domain, where that tells them apart and none is an address."""
    found = {name: name.partition(".")[0] for name in nodes}
    is_clear = len(set(found.values())) == len(found) and all(one and not one.isdigit() for one in found.values())
    return found if is_clear else {name: name for name in found}


def left(text: str, columns: int) -> str:
    text = cut(text, columns)
    return text + " " * (columns - width(text))


def right(text: str, columns: int) -> str:
    text = cut(text, columns)
    return " " * (columns - width(text)) + text


def amount(value: float, unit: str = "B") -> str:
    """`value` of bytes: 1.5 GiB."""
    prefixes = ["", "Ki", "Mi", "Gi", "Ti"]
    while abs(value) >= 1000 and len(prefixes) > 1:
        value /= 1024
        del prefixes[0]
    return f"{value:.1f} {prefixes[0]}{unit}" if value < 100 and prefixes[0] else f"{value:.0f} {prefixes[0]}{unit}"


def count(value: float) -> str:
    """1,234; 12.3 M."""
    for limit, divisor, mark in ((1e5, 1, ""), (1e8, 1e6, " M"), (1e11, 1e9, " G")):
        if abs(value) < limit:
            return f"{value:,.0f}" if divisor == 1 else f"{value / divisor:,.2f}{mark}"
    return f"{value / 1e12:,.2f} T"


def duration(ms: float) -> str:
    """0.25 s; 12.3 s; 3:05; 2:03:05; 1 d 02:03:05."""
    seconds = ms / 1000
    if seconds < 60:
        return f"{seconds:.2f} s" if seconds < 10 else f"{seconds:.1f} s"
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if not hours:
        return f"{minutes}:{rest:02} min"
    days, hours = divmod(hours, 24)
    return f"{days} d {hours:02}:{minutes:02}:{rest:02}" if days else f"{hours}:{minutes:02}:{rest:02} h"


def spark(values: Sequence[float], columns: int, most: float = 0.0) -> str:
    """One block a column, of its mean; the full block is `most`, else the largest of them."""
    if not values or columns <= 0:
        return ""
    columns = min(columns, len(values))
    edges = [at * len(values) // columns for at in range(columns + 1)]
    means = [sum(values[begin:end]) / (end - begin) for begin, end in zip(edges, edges[1:])]
    top = max(most, *means) if most else max(means)
    return "".join(_block(mean, top) for mean in means)


def _block(value: float, top: float) -> str:
    """What is not nothing is seen."""
    if value <= 0 or top <= 0:
        return BLOCKS[0]
    return BLOCKS[max(1, min(8, round(value / top * 8)))]


def bar(part: float, columns: int) -> str:
    """Filled to that part, in eighths of a column."""
    eighths = round(max(0.0, min(part, 1.0)) * columns * 8)
    whole, rest = divmod(eighths, 8)
    filled = "█" * whole + (EIGHTHS[rest] if rest else "")
    return filled + "·" * (columns - len(filled))
