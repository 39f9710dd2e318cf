"""Grid Engine's small notations, read strictly: XML answers, times, sizes, names."""

import re
from collections.abc import Sequence
from datetime import UTC, datetime
from xml.etree import ElementTree as ET
from xml.etree.ElementTree import Element

from paracloud.dialects.answers import broken
from paracloud.dialects.text import printable
from paracloud.kit.command import Completed
from paracloud.kit.identifiers import UnixAccount

_NO_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
"""Letters that XML has no way to write, and that Grid Engine writes all the same where a name holds them."""
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,6})?", re.ASCII)
_HEXADECIMAL = re.compile(r"(0[xX][0-9a-fA-F]{1,15})([KkMmGgTt]?)", re.ASCII)
_SIZE = re.compile(r"(\d{1,15})(?:\.(\d{1,6}))?([KkMmGgTt]?)", re.ASCII)
_UNITS = {
    "": 1,
    "k": 10**3,
    "K": 1 << 10,
    "m": 10**6,
    "M": 1 << 20,
    "g": 10**9,
    "G": 1 << 30,
    "t": 10**12,
    "T": 1 << 40,
}
"""Small letters are powers of ten (man sge_types, memory_specifier)."""


def document(text: str, nonce: str, completed: Completed, argv: Sequence[str]) -> Element:
    """The XML after the nonce; Broken where it is not whole, or declares anything: no answer of Grid Engine's does, and
    what entities it declared would grow without bound."""
    _, found, xml = text.rpartition(f"{nonce}\n")
    if not found or "<!" in xml:
        raise broken("gave no listing", "没有给出列表", completed, argv)
    try:
        return ET.fromstring(_NO_XML.sub("\ufffd", xml.strip()))  # noqa: S314 - see above
    except (ET.ParseError, ValueError) as error:
        raise broken(f"gave XML that is not whole: {error}", "给出了不完整的 XML", completed, argv) from None


def account_name(text: str) -> UnixAccount:
    """ValueError for what would have to be changed to be shown: whose an account is, is decided by its very name."""
    if not text or text != printable(text, 64):
        raise ValueError(f"{text[:40]!r} is no account")
    return UnixAccount(text)


def local_time(text: str) -> datetime:
    """Such as 2026-11-26T21:26:35, from a command that ran in UTC. ValueError for anything else."""
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no time")
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


def size_bytes(text: str) -> int:
    """Memory such as 23.5G, 100M, 1024 or 0x100K. A number that begins with 0, octal for Grid Engine, is read as
    decimal, which is more. ValueError for anything else."""
    if found := _HEXADECIMAL.fullmatch(text):
        size = int(found[1], 16) * _UNITS[found[2]]
    elif match := _SIZE.fullmatch(text):
        whole, decimals, unit = match[1], match[2] or "", match[3]
        size = int(whole + decimals) * _UNITS[unit] // int(10 ** len(decimals))
    else:
        raise ValueError(f"{text[:40]!r} is no size")
    if size >= 1 << 63:
        raise ValueError(f"{text[:40]!r} is more than any machine has")
    return size
