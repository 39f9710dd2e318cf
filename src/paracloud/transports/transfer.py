"""Big files over SFTP, in chunks: whole or not at all, and a repeat goes on where the last try stopped.

The partial file's name holds the source's size and time, so a changed source begins anew. Within a chunk blocks are
written in parallel and may leave holes; a chunk begins only when the one before is whole. So the last chunk that a
partial file reaches is written again.
"""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO, TypeVar

import asyncssh

from paracloud.kit.errors import NotFound
from paracloud.transports.failures import ANSWER_SECONDS, changed_meanwhile, file_errors, file_system_says, lost_answers
from paracloud.transports.local_files import in_thread, open_regular, refuse_beyond_free_space
from paracloud.transports.quoting import checked_path, encoded
from paracloud.transports.sftp import BLOCK_BYTES, PRIVATE_FILE, as_bytes, beside, make_parents, regular

CHUNK_BYTES = 4 << 20
T = TypeVar("T")


async def push(sftp: asyncssh.SFTPClient, local: Path, remote: str) -> AsyncIterator[int]:
    target = encoded(checked_path(remote))
    with await in_thread(lambda: open_regular(local)) as source:
        status = os.fstat(source.fileno())
        partial = beside(target, _name(target, status.st_size, status.st_mtime_ns))
        done = await _step(_reached(sftp, partial, status.st_size))
        sink = await _step(_opened(sftp, partial))
        try:
            while done < status.st_size:
                chunk = await _chunk(source, done, status.st_size)
                await _step(sink.write(chunk, done))
                done += len(chunk)
                if done < status.st_size:
                    yield done
        finally:
            await _closed(sink)
    await _step(_placed(sftp, partial, target, done))
    yield done


async def pull(sftp: asyncssh.SFTPClient, remote: str, local: Path) -> AsyncIterator[int]:
    """A file that grows is copied up to the size that it has at the beginning."""
    source_path = encoded(checked_path(remote))
    size, modified = await _step(regular(sftp, source_path))
    await in_thread(lambda: local.parent.mkdir(mode=0o700, parents=True, exist_ok=True))
    refuse_beyond_free_space(local.parent, size)
    partial = local.with_name(os.fsdecode(beside(os.fsencode(local.name), _name(source_path, size, modified))))
    with await in_thread(lambda: _open_partial(partial)) as sink:
        done = _floor(min(os.fstat(sink.fileno()).st_size, size))
        source = await _step(sftp.open(source_path, "rb", block_size=BLOCK_BYTES))
        try:
            while done < size:
                chunk = as_bytes(await _step(source.read(min(CHUNK_BYTES, size - done), done)))
                if not chunk:
                    raise changed_meanwhile()
                await in_thread(lambda: os.pwrite(sink.fileno(), chunk, done))  # noqa: B023  # awaited at once
                done += len(chunk)
                if done < size:
                    yield done
        finally:
            await _closed(source)
    await in_thread(lambda: _rename(partial, local))
    yield done


async def _step(awaitable: Awaitable[T]) -> T:
    """One exchange with the centre, timed by itself: a copy may take hours, a step may not."""
    with lost_answers(), file_errors():
        async with asyncio.timeout(ANSWER_SECONDS):
            return await awaitable


async def _reached(sftp: asyncssh.SFTPClient, partial: bytes, size_bytes: int) -> int:
    try:
        there, _ = await regular(sftp, partial)
    except asyncssh.SFTPNoSuchFile:
        await make_parents(sftp, partial)
        return 0
    return _floor(min(there, size_bytes))


async def _opened(sftp: asyncssh.SFTPClient, partial: bytes) -> asyncssh.SFTPClientFile:
    flags = asyncssh.FXF_WRITE | asyncssh.FXF_CREAT
    attributes = asyncssh.SFTPAttrs(permissions=PRIVATE_FILE)
    return await sftp.open(partial, flags, attributes, encoding=None, block_size=BLOCK_BYTES)


async def _placed(sftp: asyncssh.SFTPClient, partial: bytes, target: bytes, size_bytes: int) -> None:
    """Where another copy of the same source was first, its file is as good as ours."""
    try:
        there, _ = await regular(sftp, partial)
        if there != size_bytes:
            await sftp.remove(partial)
            raise file_system_says(f"{there} bytes arrived of {size_bytes}")
        await sftp.posix_rename(partial, target)
    except (asyncssh.SFTPNoSuchFile, NotFound):
        there, _ = await regular(sftp, target)
        if there != size_bytes:
            raise


async def _closed(file: asyncssh.SFTPClientFile) -> None:
    with suppress(asyncssh.Error, OSError, TimeoutError):
        async with asyncio.timeout(ANSWER_SECONDS):
            await file.close()


async def _chunk(source: BinaryIO, start: int, size_bytes: int) -> bytes:
    wanted = min(CHUNK_BYTES, size_bytes - start)
    chunk = await in_thread(lambda: os.pread(source.fileno(), wanted, start))
    if len(chunk) < wanted:
        raise changed_meanwhile()
    return chunk


def _open_partial(path: Path) -> BinaryIO:
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600), "r+b")


def _rename(partial: Path, local: Path) -> None:
    try:
        partial.rename(local)
    except FileNotFoundError:
        if not local.is_file():
            raise  # otherwise another copy of the same source was first


def _floor(size_bytes: int) -> int:
    return max(0, size_bytes - 1) // CHUNK_BYTES * CHUNK_BYTES


def _name(path: bytes, size_bytes: int, modified: int) -> str:
    return sha256(b"%s\0%d\0%d" % (path, size_bytes, modified)).hexdigest()[:32]
