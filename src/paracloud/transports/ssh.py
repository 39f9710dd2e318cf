"""One account at one machine over SSH: commands with bounded output, and files over SFTP."""

import asyncio
import shlex
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from secrets import token_hex

import asyncssh

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Completed
from paracloud.kit.errors import Forbidden, NotFound, ParacloudError, Refused, Unreachable
from paracloud.transports.transport import FileInfo

CHUNK_BYTES = 128 * 1024
"""Below the 261,120 bytes at which OpenSSH's SFTP server closes the connection."""
CHANNELS = 8
"""Commands at the same time on one connection: OpenSSH's own default of MaxSessions is 10."""
FILE_SECONDS = 60.0


@dataclass(frozen=True, slots=True)
class Address:
    """Where a centre's login node is; `host_key` is the pinned public key, one line."""

    host: str
    port: int
    host_key: str


class SshTransport:
    """Over a connection that somebody else opened and closes."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self._connection = connection
        self._channels = asyncio.Semaphore(CHANNELS)
        self._sftp: asyncssh.SFTPClient | None = None
        self._sftp_lock = asyncio.Lock()

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        with _lost():
            async with asyncio.timeout(timeout.total_seconds()), self._channels:
                process = await self._connection.create_process(quoted(argv), encoding=None)
                try:
                    return await _converse(process, stdin, limit_bytes)
                finally:
                    process.close()

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        async with self._files() as sftp:
            partial = f"{path}.{token_hex(6)}.partial"
            await _make_parents(sftp, path)
            async with sftp.open(partial, "wb", asyncssh.SFTPAttrs(permissions=mode)) as file:
                await file.write(content)
            await sftp.chmod(partial, mode)
            await sftp.posix_rename(partial, path)

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        async with self._files() as sftp, sftp.open(path, "rb") as file:
            return _bytes(await file.read(limit_bytes, start))

    async def list(self, directory: str) -> list[FileInfo]:
        async with self._files() as sftp:
            entries = [entry async for entry in sftp.scandir(directory)]
        return [_info(entry) for entry in entries if entry.filename not in (".", "..")]

    async def remove(self, path: str, *, tree: bool = False) -> None:
        try:
            async with self._files() as sftp:
                if tree and await sftp.isdir(path) and not await sftp.islink(path):
                    await sftp.rmtree(path)
                else:
                    await sftp.remove(path)
        except NotFound:
            return

    async def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        partial = f"{remote}.{token_hex(6)}.partial"
        async with self._files(None) as sftp:
            await _make_parents(sftp, remote)
            done = 0
            with local.open("rb") as source:
                async with sftp.open(partial, "wb", asyncssh.SFTPAttrs(permissions=0o600)) as file:
                    while chunk := await asyncio.to_thread(source.read, CHUNK_BYTES):
                        await asyncio.wait_for(file.write(chunk), FILE_SECONDS)
                        done += len(chunk)
                        yield done
            await sftp.posix_rename(partial, remote)

    async def pull(self, remote: str, local: Path) -> AsyncIterator[int]:
        partial = local.with_name(f".{local.name}.{token_hex(6)}.partial")
        async with self._files(None) as sftp, sftp.open(remote, "rb") as file:
            done = 0
            with partial.open("wb") as target:
                while chunk := await asyncio.wait_for(file.read(CHUNK_BYTES, done), FILE_SECONDS):
                    await asyncio.to_thread(target.write, _bytes(chunk))
                    done += len(chunk)
                    yield done
            partial.rename(local)

    @asynccontextmanager
    async def _files(self, seconds: float | None = FILE_SECONDS) -> AsyncIterator[asyncssh.SFTPClient]:
        with _lost():
            async with asyncio.timeout(seconds):
                async with self._sftp_lock:
                    if self._sftp is None:
                        self._sftp = await self._connection.start_sftp_client()
                yield self._sftp


def quoted(argv: Sequence[str]) -> str:
    """The one place where words become a shell line. NUL cannot be said in any shell: Refused."""
    if any("\0" in word for word in argv):
        raise Refused("A command cannot hold the character NUL.", "命令中不能包含空字符。")
    return shlex.join(argv)


class _lost:  # noqa: N801  # reads as a word: with _lost()
    """Turns what SSH raises into our errors: no answer is Unreachable, what the file system says is what it says."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if error is None or isinstance(error, ParacloudError):
            return
        if isinstance(error, asyncssh.SFTPNoSuchFile | asyncssh.SFTPNoSuchPath | asyncssh.SFTPNotADirectory):
            raise NotFound("There is no such file at the centre.", "超算中心上没有该文件。") from error
        if isinstance(error, asyncssh.SFTPPermissionDenied):
            raise Forbidden("The centre does not let this account do that.", "超算中心拒绝该账号的访问。") from error
        if isinstance(error, asyncssh.SFTPError) and not isinstance(
            error, asyncssh.SFTPConnectionLost | asyncssh.SFTPNoConnection
        ):
            raise Refused(
                f"The centre's file system refused: {error.reason}.", "超算中心文件系统拒绝了操作。"
            ) from error
        if isinstance(error, asyncssh.Error | OSError | TimeoutError):
            raise Unreachable(
                "The connection to the centre broke or timed out; try again.", "与超算中心的连接中断或超时，请重试。"
            ) from error


async def _converse(process: asyncssh.SSHClientProcess[bytes], stdin: bytes, limit_bytes: int) -> Completed:
    """Feed stdin and read both outputs at once; past the limit, stop reading and the command with it."""
    room = _Room(limit_bytes)
    async with asyncio.TaskGroup() as group:
        group.create_task(_feed(process, stdin))
        out = group.create_task(room.read(process.stdout))
        err = group.create_task(room.read(process.stderr))
    if room.is_full:
        process.kill()
        return Completed(-9, out.result(), err.result(), truncated=True)
    await process.wait_closed()
    status = process.exit_status
    if status is None:
        raise Unreachable("The command ended without a status.", "命令没有返回状态。")
    if process.exit_signal is not None:
        status = -1
    return Completed(status, out.result(), err.result())


class _Room:
    """What both outputs together may fill."""

    def __init__(self, limit_bytes: int) -> None:
        self.left = limit_bytes

    @property
    def is_full(self) -> bool:
        return self.left <= 0

    async def read(self, reader: asyncssh.SSHReader[bytes]) -> bytes:
        chunks: list[bytes] = []
        while not self.is_full and (chunk := await reader.read(min(CHUNK_BYTES, self.left))):
            self.left -= len(chunk)
            chunks.append(chunk)
        return b"".join(chunks)


async def _feed(process: asyncssh.SSHClientProcess[bytes], stdin: bytes) -> None:
    try:
        if stdin:
            process.stdin.write(stdin)
            await process.stdin.drain()
        process.stdin.write_eof()
    except (BrokenPipeError, ConnectionError):
        return  # the command did not want all of it; its status will say what it thinks


async def _make_parents(sftp: asyncssh.SFTPClient, path: str) -> None:
    parent = path.rpartition("/")[0]
    if parent:
        await sftp.makedirs(parent, asyncssh.SFTPAttrs(permissions=0o700), exist_ok=True)


def _bytes(content: bytes | str) -> bytes:
    """A file that was opened as binary gives bytes; the library's type does not know it."""
    return content if isinstance(content, bytes) else content.encode()


def _info(entry: asyncssh.SFTPName) -> FileInfo:
    attributes = entry.attrs
    name = entry.filename if isinstance(entry.filename, str) else entry.filename.decode(errors="replace")
    return FileInfo(
        name=name,
        size_bytes=attributes.size or 0,
        is_directory=attributes.type == asyncssh.FILEXFER_TYPE_DIRECTORY,
        modified_at=datetime.fromtimestamp(attributes.mtime or 0, UTC),
    )
