"""Deflated bytes as they were, of anybody's making: never more of them than whoever reads can hold."""

from __future__ import annotations

import zlib

from paramon.sample.errors import Damaged, TooLarge

LARGEST = 32 << 20
"""Of what a chunk may inflate to: a minute of 5,000 busy processes is a third of it."""


def inflated(payload: bytes, largest: int = LARGEST) -> bytes:
    """Damaged for what is no chunk; TooLarge for one of more bytes than that."""
    inflater = zlib.decompressobj()
    try:
        data = inflater.decompress(payload, largest + 1)
    except zlib.error:
        raise Damaged("a minute cannot be inflated", "数据块无法解压") from None
    if len(data) > largest:
        raise TooLarge("a minute is too large", "数据块过大")
    if not inflater.eof:
        raise Damaged("a minute is cut off", "数据块不完整")
    return data
