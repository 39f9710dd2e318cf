"""Where a reader of a job's profile stands: of each file as many numbers as that reader needs to go on, such as how far
it was read. Of more files than one of these knows, a reader has several: each of a part of the files.

As text it is what a caller hands back: numbers, each in as few bytes as it needs, behind a checksum. Files are known by
a hash, so that a thousand characters hold seventy of them, however long the names of nodes are.
"""

import base64
import zlib
from collections import Counter
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from paracloud.kit.errors import Invalid
from paramon.sample.errors import Damaged
from paramon.sample.varint import each, put

FILES_MOST = 256
"""That a cursor knows."""
CURSOR_LIMIT = 7_000
"""Characters: FILES_MOST files of two numbers have room, or half as many of five."""
CURSOR = "^[A-Za-z0-9_-]*$"
PARTS_MOST = 4096
_KEY_BYTES, _CHECKSUM_BYTES = 5, 4
NUMBER_MOST = (1 << 42) - 1


@dataclass(frozen=True, slots=True)
class Cursor:
    """`places`: by key of a file; numbers from 0 on, as many of each. `latest`: the file that was read last, as a key;
    0 for none."""

    places: Mapping[int, tuple[int, ...]] = field(default_factory=dict)
    latest: int = 0

    def of(self, name: str) -> tuple[int, ...]:
        """Empty for a file that was not read yet."""
        return self.places.get(key(name), ())


class Part(NamedTuple):
    """The files of which the key, divided by `parts`, leaves `number`. With twice as many parts each of them becomes
    two, and the cursor of the one goes on in both: it knows the files of either."""

    number: int = 0
    parts: int = 1

    def has(self, name: str) -> bool:
        return key(name) % self.parts == self.number


def parts_for(names: Collection[str], asked: int) -> int:
    """As many as `asked`, or so often twice as many that a cursor knows all of a part."""
    parts = asked
    while parts < PARTS_MOST and max(Counter(key(name) % parts for name in names).values(), default=0) > FILES_MOST:
        parts *= 2
    return parts


def key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(errors="replace"), digest_size=_KEY_BYTES).digest())


def write_cursor(cursor: Cursor, width: int) -> str:
    """`width`: so many numbers a file."""
    told = bytearray()
    for number in (width, cursor.latest):
        put(told, number)
    for one, place in cursor.places.items():
        for number in (one, *place):
            put(told, number)
    return base64.urlsafe_b64encode(_checksum(told) + told).decode().rstrip("=")


def read_cursor(text: str, width: int) -> Cursor:
    """Invalid for a text that is none, or of so many numbers a file; the empty one is the beginning."""
    if not text:
        return Cursor()
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        told = data[_CHECKSUM_BYTES:]
        known, latest, *parts = each(told)
        row = 1 + width
        if data[:_CHECKSUM_BYTES] != _checksum(told) or max(parts, default=0) > NUMBER_MOST:
            raise ValueError("its numbers are none of ours")
        if known != width or len(parts) % row or len(parts) > FILES_MOST * row:
            raise ValueError("it is another reader's")
    except (ValueError, Damaged):
        raise Invalid(
            "since: give the cursor of the answer before, as it was.",
            "since：请原样传回上次应答的 cursor。",
            field="since",
        ) from None
    return Cursor({parts[at]: tuple(parts[at + 1 : at + row]) for at in range(0, len(parts), row)}, latest)


def _checksum(told: bytes | bytearray) -> bytes:
    return zlib.crc32(told).to_bytes(_CHECKSUM_BYTES)
