"""The font of statements, for Chinese and Latin: which letters it has, and what is written for those that it lacks."""

import re
import struct
from bisect import bisect_right
from collections.abc import Iterable
from functools import cache
from itertools import groupby
from pathlib import Path

from noto_cjk_sans_otc import FONT_PATH

FOLDER = Path(FONT_PATH).parent
UNICODE = [3, 10]
"""Platform and encoding of the table of all Unicode letters, which is of format 12 (OpenType 1.9, `cmap`)."""
_BLANK = re.compile(r"\s+")


def written(text: str) -> str:
    """As it can be printed: a letter that the font lacks, an emoji or one of a rare name, by its number, such as
    [U+1F600]; never as an empty box, which says nothing."""
    runs = groupby(_BLANK.sub(" ", text), has)
    return "".join("".join(letters) if is_there else _numbers(letters) for is_there, letters in runs)


def has(letter: str) -> bool:
    """Also not what prints nothing, such as a mark that turns the direction of what follows."""
    starts, ends = _spans()
    at = bisect_right(starts, ord(letter)) - 1
    return letter.isprintable() and at >= 0 and ord(letter) <= ends[at]


def _numbers(letters: Iterable[str]) -> str:
    return f"[{' '.join(f'U+{ord(one):04X}' for one in letters)}]"


@cache
def _spans() -> tuple[list[int], list[int]]:
    """First and last letters of what the font has, in order; all faces of its file have the same."""
    cmap = _table(b"cmap")
    (count,) = struct.unpack_from(">2xH", cmap)
    (at,) = (at for *of, at in struct.iter_unpack(">HHI", cmap[4 : 4 + 8 * count]) if of == UNICODE)
    (groups,) = struct.unpack_from(">12xI", cmap, at)
    spans = [(start, end) for start, end, _ in struct.iter_unpack(">III", cmap[at + 16 : at + 16 + 12 * groups])]
    return [start for start, _ in spans], [end for _, end in spans]


def _table(name: bytes) -> bytes:
    with Path(FONT_PATH).open("rb") as file:
        (first,) = struct.unpack(">12xI", file.read(16))
        file.seek(first)
        (count,) = struct.unpack(">4xH6x", file.read(12))
        places = {tag: (at, size) for tag, at, size in struct.iter_unpack(">4s4xII", file.read(16 * count))}
        at, size = places[name]
        file.seek(at)
        return file.read(size)
