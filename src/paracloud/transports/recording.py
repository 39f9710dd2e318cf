"""Make a recording from any transport, and keep it as a JSON file that a person can read and shorten."""

import json
from collections.abc import AsyncIterator, Sequence
from datetime import timedelta
from pathlib import Path

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Completed
from paracloud.kit.errors import Broken, Unreachable
from paracloud.transports.quoting import decoded, encoded
from paracloud.transports.recorded import Exchange
from paracloud.transports.transport import ENTRIES_LIMIT, FileInfo, Transport


class RecordingTransport:
    """Passes everything on, and keeps what commands said: `exchanges`."""

    def __init__(self, inner: Transport) -> None:
        self._inner = inner
        self.exchanges: list[Exchange] = []

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        try:
            answer = await self._inner.run(argv, stdin=stdin, timeout=timeout, limit_bytes=limit_bytes)
        except Unreachable:
            self.exchanges.append(Exchange(tuple(argv), None, stdin))
            raise
        self.exchanges.append(Exchange(tuple(argv), answer, stdin))
        return answer

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        await self._inner.write(path, content, mode=mode)

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        return await self._inner.read(path, start=start, limit_bytes=limit_bytes)

    async def list(self, directory: str, *, limit: int = ENTRIES_LIMIT) -> list[FileInfo]:
        return await self._inner.list(directory, limit=limit)

    async def remove(self, path: str, *, tree: bool = False) -> None:
        await self._inner.remove(path, tree=tree)

    def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        return self._inner.push(local, remote)

    def pull(self, remote: str, local: Path) -> AsyncIterator[int]:
        return self._inner.pull(remote, local)


def save(exchanges: Sequence[Exchange], path: Path) -> None:
    path.write_text(json.dumps([_out(exchange) for exchange in exchanges], indent=1) + "\n")


def load(path: Path) -> list[Exchange]:
    """Broken where the file is no recording."""
    try:
        return [_in(fields) for fields in json.loads(path.read_text())]
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(f"{path} is no recording.", f"{path} 不是录制文件。") from error


def _out(exchange: Exchange) -> dict[str, object]:
    """Bytes that are no UTF-8 are lone surrogates, which JSON can say (RFC 8259 section 8.2)."""
    fields: dict[str, object] = {"argv": exchange.argv, "stdin": decoded(exchange.stdin), "answer": None}
    if exchange.answer is not None:
        fields["answer"] = {
            "exit_status": exchange.answer.exit_status,
            "stdout": decoded(exchange.answer.stdout),
            "stderr": decoded(exchange.answer.stderr),
            "truncated": exchange.answer.truncated,
        }
    return fields


def _in(fields: dict[str, object]) -> Exchange:
    answer = fields["answer"]
    argv, stdin = fields["argv"], fields["stdin"]
    if not isinstance(argv, list) or not isinstance(stdin, str):
        raise TypeError("argv is a list, stdin a text")
    return Exchange(tuple(str(word) for word in argv), _completed(answer), encoded(stdin))


def _completed(fields: object) -> Completed | None:
    if fields is None:
        return None
    if not isinstance(fields, dict):
        raise TypeError("an answer is an object, or null")
    return Completed(
        int(fields["exit_status"]), encoded(fields["stdout"]), encoded(fields["stderr"]), bool(fields["truncated"])
    )
