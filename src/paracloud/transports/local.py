"""This machine as the account that this process runs under: for centres whose login node it is, and for tests."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Sequence
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Completed
from paracloud.kit.errors import Unreachable
from paracloud.transports.erase import erase
from paracloud.transports.local_files import copied, in_thread, listed, read_part, write_whole
from paracloud.transports.output import converse
from paracloud.transports.quoting import checked, checked_path
from paracloud.transports.transport import ENTRIES_LIMIT, FileInfo


class LocalTransport:
    """`home` is where commands start and what relative paths are relative to."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        try:
            process = await _start(checked(argv), self._home)
        except FileNotFoundError as error:
            return Completed(127, b"", str(error).encode(errors="replace"))
        except OSError as error:
            return Completed(126, b"", str(error).encode(errors="replace"))
        try:
            async with asyncio.timeout(timeout.total_seconds()):
                return await _converse(process, stdin, limit_bytes)
        except TimeoutError as error:
            raise Unreachable(
                f"The command did not end within {timeout}; it was stopped.", f"命令未在 {timeout} 内结束，已被终止。"
            ) from error
        finally:
            await _stop(process)

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        await in_thread(lambda: write_whole(self._at(path), content, mode))

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        return await in_thread(lambda: read_part(self._at(path), start, limit_bytes))

    async def list(self, directory: str, *, limit: int = ENTRIES_LIMIT) -> list[FileInfo]:
        return await in_thread(lambda: listed(self._at(directory), limit))

    async def remove(self, path: str, *, tree: bool = False) -> None:
        await erase(self.run, path, tree=tree)

    async def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        async for done in copied(local, self._at(remote)):
            yield done

    async def pull(self, remote: str, local: Path) -> AsyncIterator[int]:
        async for done in copied(self._at(remote), local):
            yield done

    def _at(self, path: str) -> Path:
        return self._home / checked_path(path)


async def _start(argv: Sequence[str], home: Path) -> asyncio.subprocess.Process:
    """In a session of its own, so that its children can be stopped with it."""
    pipe = asyncio.subprocess.PIPE
    return await asyncio.create_subprocess_exec(
        *argv, cwd=home, stdin=pipe, stdout=pipe, stderr=pipe, start_new_session=True
    )


async def _converse(process: asyncio.subprocess.Process, stdin: bytes, limit_bytes: int) -> Completed:
    assert process.stdin and process.stdout and process.stderr  # noqa: S101, PT018
    output = await converse(
        process.stdin,
        stdin,
        stdout=process.stdout,
        stderr=process.stderr,
        ended=process.wait(),
        limit_bytes=limit_bytes,
    )
    status = process.returncode if process.returncode is not None else -signal.SIGKILL
    return Completed(status, bytes(output.stdout), bytes(output.stderr), output.truncated)


async def _stop(process: asyncio.subprocess.Process) -> None:
    """Closing our ends of the pipes comes before waiting: asyncio waits for their end too, and it never comes where
    output was left unread, or where a child that left the session holds them."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    process._transport.close()  # type: ignore[attr-defined]  # noqa: SLF001  # asyncio has no public way
    await process.wait()
