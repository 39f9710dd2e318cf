"""A centre that is played from a recording: no machine, the same promises. For tests, demonstrations and bug reports.

Commands are answered from the recording, each exchange once, in any order; files are kept in memory.
"""

import posixpath
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Completed
from paracloud.kit.errors import Broken, Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.erase import refuse_above_home
from paracloud.transports.failures import no_such_file, not_a_file, too_many_entries
from paracloud.transports.local_files import in_thread, read_part, write_whole
from paracloud.transports.quoting import checked, checked_path
from paracloud.transports.transport import ENTRIES_LIMIT, FileInfo, Transport

PLAYED_AT = datetime(2026, 1, 1, tzinfo=UTC)
FILE_LIMIT_BYTES = 1 << 30


@dataclass(frozen=True, slots=True)
class Exchange:
    """`answer` None: the line broke, and whoever asked knows nothing."""

    argv: tuple[str, ...]
    answer: Completed | None
    stdin: bytes = b""


class RecordedTransport:
    """Broken for a command that was not recorded, or more often than it was."""

    def __init__(self, exchanges: Sequence[Exchange] = (), files: Mapping[str, bytes] | None = None) -> None:
        self._left = list(exchanges)
        self._files: dict[str, bytes] = {}
        self._directories = {"."}
        for path, content in (files or {}).items():
            self._keep(_plain(path), content)

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),  # what was recorded has ended
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        exchange = self._take(checked(argv), stdin)
        if exchange.answer is None:
            raise Unreachable("The recorded connection broke here.", "录制的连接在此处中断。")
        return _limited(exchange.answer, limit_bytes)

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        self._keep(_plain(path), content)

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        return self._content(path)[start : start + limit_bytes]

    async def list(self, directory: str, *, limit: int = ENTRIES_LIMIT) -> list[FileInfo]:
        plain = _plain(directory)
        if plain not in self._directories:
            raise no_such_file()
        found = [
            FileInfo(posixpath.basename(path), len(self._files.get(path, b"")), path in self._directories, PLAYED_AT)
            for path in sorted({*self._files, *self._directories} - {plain})
            if (posixpath.dirname(path) or ".") == plain
        ]
        if len(found) > limit:
            raise too_many_entries(limit)
        return found

    async def remove(self, path: str, *, tree: bool = False) -> None:
        plain = refuse_above_home(path)
        if plain in self._directories and not tree:
            raise Broken("That is a directory; remove it as a tree.", "这是目录，请按目录树删除。")
        gone = {path for path in (*self._files, *self._directories) if f"{path}/".startswith(f"{plain}/")}
        self._files = {path: content for path, content in self._files.items() if path not in gone}
        self._directories -= gone

    async def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        content = await in_thread(lambda: read_part(local, 0, FILE_LIMIT_BYTES))
        await self.write(remote, content)
        yield len(content)

    async def pull(self, remote: str, local: Path) -> AsyncIterator[int]:
        content = self._content(remote)
        await in_thread(lambda: write_whole(local, content, 0o600))
        yield len(content)

    def _take(self, argv: tuple[str, ...], stdin: bytes) -> Exchange:
        for exchange in self._left:
            if exchange.argv == argv and exchange.stdin == stdin:
                self._left.remove(exchange)
                return exchange
        raise Broken("This command was not recorded, or was played already.", "该命令没有录制，或已播放过。", argv=argv)

    def _content(self, path: str) -> bytes:
        plain = _plain(path)
        if plain in self._files:
            return self._files[plain]
        raise not_a_file() if plain in self._directories else no_such_file()

    def _keep(self, plain: str, content: bytes) -> None:
        self._files[plain] = content
        parent = posixpath.dirname(plain)
        while parent not in ("", "/"):
            self._directories.add(parent)
            parent = posixpath.dirname(parent)


class RecordedReach:
    """Implements Reach over transports that are given."""

    def __init__(self, transports: Mapping[tuple[CentreName, UnixAccount], Transport]) -> None:
        self._transports = transports

    async def to(self, centre: CentreName, account: UnixAccount, *, purpose: str) -> Transport:
        try:
            return self._transports[centre, account]
        except KeyError as error:
            raise Unreachable(f"{centre} was not recorded.", f"没有 {centre} 的录制。") from error


def _plain(path: str) -> str:
    return posixpath.normpath(checked_path(path))


def _limited(answer: Completed, limit_bytes: int) -> Completed:
    out, err = answer.stdout, answer.stderr
    if len(out) + len(err) <= limit_bytes:
        return answer
    return Completed(-9, out[:limit_bytes], err[: max(0, limit_bytes - len(out))], truncated=True)
