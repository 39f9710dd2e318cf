"""Reaching one machine as one Unix account."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol, TypeVar

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Command, Completed
from paracloud.kit.identifiers import CentreName, UnixAccount

T = TypeVar("T")
READ_AT_ONCE_BYTES = 1 << 20
"""A longer answer is read in a thread: meanwhile the loop must renew the leases of all centres."""
ENTRIES_LIMIT = 100_000
"""A directory with more is refused: its listing would fill our memory at the centre's will."""


@dataclass(frozen=True, slots=True)
class FileInfo:
    """One directory entry. `name` is the centre's text as it is: hostile until it is escaped."""

    name: str
    size_bytes: int
    is_directory: bool
    modified_at: datetime


class Transport(Protocol):
    """Unreachable: no answer or only part of one; what was asked may have happened. NotFound and Forbidden: the
    remote file system says so. Paths are relative to the account's home, or absolute."""

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        """Run argv, each word quoted once, in one place. Output past `limit_bytes` stops the command: truncated."""
        ...

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        """Whole or not at all (a temporary name, then a rename); missing parent directories are made, mode 0700."""
        ...

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        """At most `limit_bytes` from byte `start` on; empty past the end. NotFound where there is no such file."""
        ...

    async def list(self, directory: str, *, limit: int = ENTRIES_LIMIT) -> list[FileInfo]:
        """TooLarge as soon as more than `limit` entries have come: the rest is never asked for."""
        ...

    async def remove(self, path: str, *, tree: bool = False) -> None:
        """Already gone is success."""
        ...

    def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        """Copy a local file there, whole or not at all; yields bytes done so far. Repeating it resumes or restarts."""
        ...

    def pull(self, remote: str, local: Path) -> AsyncIterator[int]: ...


class Reach(Protocol):
    """Gives the transport for an account at a centre, connections pooled. `purpose` says for whom and for which
    request, and ends in the certificate's key id, so that the centre's log joins to our audit."""

    async def to(self, centre: CentreName, account: UnixAccount, *, purpose: str) -> Transport: ...


async def execute(transport: Transport, command: Command[T]) -> T:
    """Run a dialect's command over a transport and read its answer."""
    completed = await transport.run(
        command.argv, stdin=command.stdin, timeout=command.timeout, limit_bytes=command.limit_bytes
    )
    if len(completed.stdout) + len(completed.stderr) <= READ_AT_ONCE_BYTES:
        return command.parse(completed)
    return await asyncio.to_thread(command.parse, completed)
