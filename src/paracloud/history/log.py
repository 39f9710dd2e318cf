"""An accounting log on disk, plain or .xz, as what its lines tell, by the chunk."""

import lzma
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import TextIOWrapper
from itertools import islice
from pathlib import Path
from typing import BinaryIO, cast

from paracloud.dialects.histories import READERS
from paracloud.dialects.history import HistoryRecord, LeftOut, Told, Unreadable, accounted
from paracloud.kit.errors import Broken, Invalid
from paracloud.metering.usage import require_possible

XZ_MAGIC = b"\xfd7zXZ\x00"
CHUNK = 5000
"""Lines that are read, and records that are stored, at a time."""


@dataclass(slots=True)
class Chunk:
    """What some lines told. `lines`: up to which the file is read."""

    lines: int = 0
    records: list[HistoryRecord] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    faults: list[Unreadable] = field(default_factory=list)

    def take(self, one: Told) -> None:
        if isinstance(one, HistoryRecord):
            if (wrong := impossible(one, self.lines)) is not None:
                self.faults.append(wrong)
            else:
                self.records.append(one)
        elif isinstance(one, LeftOut):
            self.left_out[one.why] = self.left_out.get(one.why, 0) + 1
        else:
            self.faults.append(one)


def impossible(record: HistoryRecord, line: int) -> Unreadable | None:
    """Figures that no machine can have."""
    try:
        require_possible(accounted(record))
    except Broken:
        why = ValueError("its figures are impossible", "数值不可能成立")
        return Unreadable(line, str(why.args[0]), str(why.args[1]), record.raw[:120])
    return None


@contextmanager
def open_log(file: Path) -> Iterator[TextIOWrapper]:
    """Text that is no UTF-8 keeps its place by a mark."""
    with file.open("rb") as raw:
        is_packed = raw.read(len(XZ_MAGIC)) == XZ_MAGIC
        raw.seek(0)
        source = cast(BinaryIO, lzma.LZMAFile(raw)) if is_packed else raw  # noqa: SIM115  # closed with `raw`
        yield TextIOWrapper(source, encoding="utf-8-sig", errors="replace", newline="\n")


def chunks(text: TextIOWrapper, format_: str, size: int = CHUNK) -> Iterator[Chunk]:
    """Invalid where the file is cut or broken: with the line."""
    counted = _Counted(text)
    told = READERS[format_](counted)
    while True:
        chunk = Chunk()
        try:
            for one in islice(told, size):
                chunk.lines = counted.number
                chunk.take(one)
        except (EOFError, lzma.LZMAError) as broken:
            at = counted.number + 1
            raise Invalid(
                f"line {at}: the compressed file is broken or cut ({broken}); fetch it again.",
                f"第 {at} 行：压缩文件损坏或被截断（{broken}），请重新获取。",
                field="file",
            ) from broken
        if not chunk.lines:
            return
        yield chunk


class _Counted:
    """Lines, and the number of the last one."""

    def __init__(self, text: TextIOWrapper) -> None:
        self._text, self.number = text, 0

    def __iter__(self) -> Iterator[str]:
        for self.number, line in enumerate(self._text, 1):  # noqa: B020  # the number is the point
            yield line
