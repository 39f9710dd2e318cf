"""Where a reader of a job's profile stands: of each file how far it was read, and the last moment that was seen of it.

As text it is what a caller hands back: numbers, each in as few bytes as it needs, behind a checksum. Files are known by
a hash, so that a thousand characters hold seventy of them, however long the names of nodes are.
"""

import base64
import zlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from paracloud.kit.errors import Invalid
from paramon.sample.errors import Damaged
from paramon.sample.varint import numbers, put

FILES_MOST = 256
"""That a cursor knows."""
CURSOR_LIMIT = 7_000
CURSOR = "^[A-Za-z0-9_-]*$"
_KEY_BYTES, _CHECKSUM_BYTES = 5, 4
_NUMBER_MOST = 1 << 50


class Place(NamedTuple):
    """`offset`: bytes. `last_ms`: milliseconds since the start of that profile."""

    offset: int = 0
    last_ms: int = -1


@dataclass(frozen=True, slots=True)
class Cursor:
    """`latest`: the file that was read last, as a key; 0 for none."""

    places: Mapping[int, Place] = field(default_factory=dict)
    latest: int = 0

    def of(self, name: str) -> Place:
        return self.places.get(key(name), Place())


def key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(errors="replace"), digest_size=_KEY_BYTES).digest())


def write_cursor(cursor: Cursor) -> str:
    told = bytearray()
    put(told, cursor.latest)
    for one, place in cursor.places.items():
        for number in (one, place.offset, place.last_ms + 1):
            put(told, number)
    return base64.urlsafe_b64encode(_checksum(told) + told).decode().rstrip("=")


def read_cursor(text: str) -> Cursor:
    """Invalid for a text that is none; the empty one is the beginning."""
    if not text:
        return Cursor()
    try:
        data = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
        told = data[_CHECKSUM_BYTES:]
        latest, *parts = numbers(told)
        if data[:_CHECKSUM_BYTES] != _checksum(told) or len(parts) % 3 or max(parts, default=0) > _NUMBER_MOST:
            raise ValueError("its numbers are none of ours")
    except (ValueError, Damaged):
        raise Invalid(
            "since: give the cursor of the answer before, as it was.",
            "since：请原样传回上次应答的 cursor。",
            field="since",
        ) from None
    rows = zip(parts[::3], parts[1::3], parts[2::3], strict=True)
    return Cursor({one: Place(offset, last - 1) for one, offset, last in rows}, latest)


def _checksum(told: bytes | bytearray) -> bytes:
    return zlib.crc32(told).to_bytes(_CHECKSUM_BYTES)
