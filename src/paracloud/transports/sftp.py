"""Files of a centre over one SFTP session (OpenSSH's protocol version 3). Paths travel as bytes."""

import posixpath
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager, suppress
from datetime import UTC, datetime
from secrets import token_hex
from typing import cast

import asyncssh

from paracloud.transports.failures import file_errors, not_a_file, too_many_entries
from paracloud.transports.quoting import checked_path, decoded, encoded
from paracloud.transports.transport import FileInfo

BLOCK_BYTES = 128 * 1024
"""OpenSSH's server closes the session at blocks of more than 261,120 bytes."""
PRIVATE_FILE, PRIVATE_DIRECTORY = 0o600, 0o700


async def write_whole(sftp: asyncssh.SFTPClient, path: str, content: bytes, mode: int) -> None:
    target = encoded(checked_path(path))
    partial = beside(target, token_hex(8))
    with file_errors():
        try:
            async with _created(sftp, partial) as file:
                await file.write(content)
                await file.setstat(asyncssh.SFTPAttrs(permissions=mode))
            await sftp.posix_rename(partial, target)
        except asyncssh.SFTPError:
            with suppress(asyncssh.SFTPError):
                await sftp.remove(partial)
            raise


async def read_part(sftp: asyncssh.SFTPClient, path: str, start: int, limit_bytes: int) -> bytes:
    """Only what the file had when it was looked at: blocks read in parallel past the end of a growing file may come
    back with a hole of zeros between them."""
    target = encoded(checked_path(path))
    with file_errors():
        size, _ = await regular(sftp, target)
        wanted = min(limit_bytes, size - start)
        if wanted <= 0:
            return b""
        async with sftp.open(target, "rb", block_size=BLOCK_BYTES) as file:
            return as_bytes(await file.read(wanted, start))


async def listed(sftp: asyncssh.SFTPClient, directory: str, limit: int) -> list[FileInfo]:
    found: list[FileInfo] = []
    with file_errors():
        scanned = cast(AsyncGenerator[asyncssh.SFTPName, None], sftp.scandir(encoded(checked_path(directory))))
        async with aclosing(scanned) as entries:  # closes the directory there also where we stop half way
            async for entry in entries:
                name = decoded(as_bytes(entry.filename))
                if name in (".", ".."):
                    continue
                if len(found) == limit:
                    raise too_many_entries(limit)
                found.append(_info(name, entry.attrs))
    return found


async def regular(sftp: asyncssh.SFTPClient, target: bytes) -> tuple[int, int]:
    """Size in bytes and modification time in seconds. Asked before opening: opening a pipe would stop the session."""
    attributes = await sftp.stat(target)
    if attributes.type != asyncssh.FILEXFER_TYPE_REGULAR:
        raise not_a_file()
    return attributes.size or 0, attributes.mtime or 0


async def make_parents(sftp: asyncssh.SFTPClient, target: bytes) -> None:
    """Whatever is there already stays as it is; if it is no directory, the next step will say so."""
    parent = posixpath.dirname(target)
    if not parent or parent == target:
        return
    attributes = asyncssh.SFTPAttrs(permissions=PRIVATE_DIRECTORY)
    try:
        await sftp.mkdir(parent, attributes)
    except asyncssh.SFTPNoSuchFile:
        await make_parents(sftp, parent)
        with suppress(asyncssh.SFTPFailure):
            await sftp.mkdir(parent, attributes)
    except asyncssh.SFTPFailure:
        return


def beside(target: bytes, name: str) -> bytes:
    """A name in the target's directory, of fixed length, since the target's own may be the longest allowed."""
    return posixpath.join(posixpath.dirname(target), f".paracloud-{name}.partial".encode())


def as_bytes(content: bytes | str) -> bytes:
    """What was asked for in bytes comes in bytes; the library's types do not say so."""
    if isinstance(content, str):
        raise TypeError("asked for bytes, given text")
    return content


@asynccontextmanager
async def _created(sftp: asyncssh.SFTPClient, partial: bytes) -> AsyncIterator[asyncssh.SFTPClientFile]:
    attributes = asyncssh.SFTPAttrs(permissions=PRIVATE_FILE)
    try:
        opened = await sftp.open(partial, "xb", attributes, block_size=BLOCK_BYTES)
    except asyncssh.SFTPNoSuchFile:
        await make_parents(sftp, partial)
        opened = await sftp.open(partial, "xb", attributes, block_size=BLOCK_BYTES)
    async with opened as file:
        yield file


def _info(name: str, attributes: asyncssh.SFTPAttrs) -> FileInfo:
    return FileInfo(
        name=name,
        size_bytes=attributes.size or 0,
        is_directory=attributes.type == asyncssh.FILEXFER_TYPE_DIRECTORY,
        modified_at=datetime.fromtimestamp(attributes.mtime or 0, UTC),
    )
