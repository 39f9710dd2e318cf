"""Whole numbers as few bytes: seven bits a byte, the lowest first, as Protocol Buffers and LEB128 write them.

A signed number goes as its zigzag: 0, -1, 1, -2, … become 0, 1, 2, 3, …
"""

from __future__ import annotations

from collections.abc import Iterator

from paramon.sample.errors import Damaged

MOST_BYTES = 10
"""Of a 64-bit number; what is longer is no number of ours."""


def put(out: bytearray, value: int) -> None:
    """Append a number that is not negative."""
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    out.append(value)


def put_signed(out: bytearray, value: int) -> None:
    put(out, value << 1 if value >= 0 else (-value << 1) - 1)


def put_bytes(out: bytearray, value: bytes | bytearray) -> None:
    put(out, len(value))
    out += value


def get(data: bytes, at: int) -> tuple[int, int]:
    """The number that begins there, and where it ends. Damaged where there is none."""
    value, shift, last = 0, 0, at + MOST_BYTES
    while at < last:
        try:
            byte = data[at]
        except IndexError:
            break
        at += 1
        value |= (byte & 127) << shift
        if byte < 128:
            return value, at
        shift += 7
    raise Damaged("a number is cut off", "数值不完整")


def each(data: bytes) -> Iterator[int]:
    """One after the other, where nothing else is: much faster than to look where each begins. Damaged where one is cut
    off or too long."""
    value = shift = 0
    for byte in data:
        if byte < 128:
            yield value | byte << shift
            value = shift = 0
        else:
            value |= (byte & 127) << shift
            shift += 7
            if shift >= 7 * MOST_BYTES:
                raise Damaged("a number is too long", "数值过长")
    if shift:
        raise Damaged("a number is cut off", "数值不完整")


def get_signed(data: bytes, at: int) -> tuple[int, int]:
    value, at = get(data, at)
    return (value >> 1 if not value & 1 else -(value >> 1) - 1), at


def get_bytes(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = get(data, at)
    if at + size > len(data):
        raise Damaged("a text is cut off", "文本不完整")
    return data[at : at + size], at + size
