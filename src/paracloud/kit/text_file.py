"""A text file on disk, plain or .xz, line by line: whole, or refused where it is broken."""

import lzma
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedReader, RawIOBase, TextIOWrapper
from pathlib import Path
from typing import Any, BinaryIO, cast

from paracloud.kit.errors import Invalid

XZ_MAGIC = b"\xfd7zXZ\x00"
READ_BYTES = 1 << 18
EVERY_LINES = 2000
PADDING_BYTES = 4
"""What stands between two streams is a whole number of so many zeros (the .xz format, 1.2.1, 2.2)."""


class Lines:
    """The lines of a text, and the number of the last one. `at_byte`: how far the file on disk is read; `passed` is
    called every EVERY_LINES."""

    def __init__(self, text: TextIOWrapper, raw: BinaryIO) -> None:
        self._text, self._raw, self.number = text, raw, 0
        self.passed: Callable[[], None] = lambda: None

    @property
    def at_byte(self) -> int:
        return self._raw.tell()

    def __iter__(self) -> Iterator[str]:
        """Invalid, with the line, where a packed file is cut or broken."""
        try:
            for self.number, line in enumerate(self._text, 1):  # noqa: B020  # the number is the point
                if not self.number % EVERY_LINES:
                    self.passed()
                yield line
        except EOFError as cut:
            raise _refused(self.number + 1, str(cut), "在数据流中途结束") from cut
        except lzma.LZMAError as broken:
            raise _refused(self.number + 1, str(broken), "数据无法解压") from broken


@contextmanager
def open_lines(file: Path, *, name: str) -> Iterator[Lines]:
    """`name`: what the file is called where it comes from; one that ends with .xz is packed. Text that is no UTF-8
    keeps its place by a mark."""
    with file.open("rb") as raw:
        is_packed = raw.read(len(XZ_MAGIC)) == XZ_MAGIC
        if name.endswith(".xz") and not is_packed:
            raise _refused(1, "no xz file, or cut at its very beginning", "不是 xz 文件，或在开头处被截断")
        raw.seek(0)
        source = cast(BinaryIO, BufferedReader(_Unpacked(raw), READ_BYTES)) if is_packed else raw
        yield Lines(TextIOWrapper(source, encoding="utf-8-sig", errors="replace", newline="\n"), raw)


class _Unpacked(RawIOBase):
    """All streams of an .xz file. lzma.LZMAFile leaves out without a word whatever it cannot read after the first."""

    def __init__(self, packed: BinaryIO) -> None:
        self._packed, self._rest = packed, b""
        self._stream = lzma.LZMADecompressor(lzma.FORMAT_XZ)

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:  # noqa: ANN401  # a Buffer, which has no name before Python 3.12
        space = memoryview(into)
        found = self._read(len(space))
        space[: len(found)] = found
        return len(found)

    def _read(self, most: int) -> bytes:
        """Empty where the last stream has ended, and nothing comes after it."""
        while True:
            if self._stream.eof and not self._begin_next():
                return b""
            given = b""
            if self._stream.needs_input:
                given, self._rest = self._rest or self._packed.read(READ_BYTES), b""
                if not given:
                    raise EOFError("it ends within a stream")
            if found := self._stream.decompress(given, most):
                return found

    def _begin_next(self) -> bool:
        zeros, rest = 0, self._stream.unused_data or self._packed.read(READ_BYTES)
        while rest:
            body = rest.lstrip(b"\0")
            zeros += len(rest) - len(body)
            if body:
                break
            rest = self._packed.read(READ_BYTES)
        if zeros % PADDING_BYTES:
            raise lzma.LZMAError("what follows a stream is neither padding nor a stream")
        if rest:
            self._stream, self._rest = lzma.LZMADecompressor(lzma.FORMAT_XZ), body
        return bool(rest)


def _refused(line: int, why: str, why_zh: str) -> Invalid:
    return Invalid(
        f"line {line}: the compressed file is broken or cut ({why}); fetch it again.",
        f"第 {line} 行：压缩文件损坏或被截断（{why_zh}），请重新获取。",
        field="file",
    )
