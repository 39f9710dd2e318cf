"""One account at one machine over SSH: commands with bounded output, and files over SFTP."""

import asyncio
import secrets
import signal
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import TypeVar, cast

import asyncssh

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Completed
from paracloud.kit.errors import Broken, Unreachable
from paracloud.transports import sftp as files
from paracloud.transports import transfer
from paracloud.transports.erase import erase
from paracloud.transports.failures import ANSWER_SECONDS, lost_answers
from paracloud.transports.output import Output, converse
from paracloud.transports.quoting import shell_line
from paracloud.transports.transport import ENTRIES_LIMIT, FileInfo

CHANNELS = 8
"""Commands at the same time on one connection; one more is for files. OpenSSH's own MaxSessions is 10."""
OPEN_PAUSES = (0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
"""Seconds before another try to open a channel. sshd frees an ended session only after it has read all packets at hand,
so under load it may say no although one has ended; some centres allow fewer sessions than we use."""
CONNECT_SECONDS = 20
HOST_KEY_ALGORITHMS = ("ssh-ed25519", "ecdsa-sha2-nistp256", "rsa-sha2-512", "rsa-sha2-256")
"""Spoken after the pinned key's own, so that a machine with a key of another kind is seen to be the wrong one;
otherwise it would only hang up."""
KEEPALIVE_SECONDS = 15
NOISE_LIMIT_BYTES = 64 * 1024
"""What an account's shell start-up files may print before the command begins."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Address:
    """Where a centre's login node is; `host_key` is the pinned public key, one line."""

    host: str
    port: int
    host_key: str


class Link:
    """One login that many share: a limited number of channels for commands, and one session for files."""

    def __init__(self, connection: asyncssh.SSHClientConnection) -> None:
        self.connection = connection
        self.channels = asyncio.Semaphore(CHANNELS)
        self._sftp: asyncssh.SFTPClient | None = None
        self._starting = asyncio.Lock()

    @property
    def is_closed(self) -> bool:
        return self.connection.is_closed()

    @asynccontextmanager
    async def sftp(self) -> AsyncIterator[asyncssh.SFTPClient]:
        """Where the session died or is stuck, the next use begins another."""
        with lost_answers():
            async with self._starting, asyncio.timeout(ANSWER_SECONDS):
                if self._sftp is None:
                    self._sftp = await _opened(self.connection, self.connection.start_sftp_client)
                session = self._sftp
        try:
            yield session
        except Unreachable:
            if self._sftp is session:
                self._sftp = None
                session.exit()
            raise


Lend = Callable[[], AbstractAsyncContextManager[Link]]


class SshTransport:
    """Borrows a link for each step, so that a lost connection costs one step and the next has a new one."""

    def __init__(self, lend: Lend) -> None:
        self._lend = lend

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        """As the protocol says. Words are quoted for a POSIX shell (sh, bash, dash, zsh), the account's login shell."""
        line, mark = shell_line(argv), b"%s\n" % secrets.token_hex(12).encode()
        async with self._lend() as link:
            with lost_answers():
                async with asyncio.timeout(timeout.total_seconds()), link.channels:
                    return await _run(link.connection, line, mark, stdin, limit_bytes)

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        async with self._files() as sftp:
            await files.write_whole(sftp, path, content, mode)

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        async with self._files() as sftp:
            return await files.read_part(sftp, path, start, limit_bytes)

    async def list(self, directory: str, *, limit: int = ENTRIES_LIMIT) -> list[FileInfo]:
        async with self._files() as sftp:
            return await files.listed(sftp, directory, limit)

    async def remove(self, path: str, *, tree: bool = False) -> None:
        await erase(self.run, path, tree=tree)

    async def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        async with self._lend() as link, link.sftp() as sftp:
            async for done in transfer.push(sftp, local, remote):
                yield done

    async def pull(self, remote: str, local: Path) -> AsyncIterator[int]:
        async with self._lend() as link, link.sftp() as sftp:
            async for done in transfer.pull(sftp, remote, local):
                yield done

    @asynccontextmanager
    async def _files(self) -> AsyncIterator[asyncssh.SFTPClient]:
        async with self._lend() as link, link.sftp() as sftp:
            with lost_answers():
                async with asyncio.timeout(ANSWER_SECONDS):
                    yield sftp


async def connect(
    address: Address, account: str, key: asyncssh.SSHKey, certificate: str | None
) -> asyncssh.SSHClientConnection:
    """One login: no agent, no password, no configuration of the user's, and only the pinned host key."""
    pinned = asyncssh.import_public_key(address.host_key)
    client_key = key if certificate is None else (key, asyncssh.import_certificate(certificate))
    return await asyncssh.connect(
        address.host,
        address.port,
        username=account,
        client_keys=[client_key],
        known_hosts=([pinned], [], []),
        server_host_key_algs=[*(name.decode() for name in pinned.sig_algorithms), *HOST_KEY_ALGORITHMS],
        config=None,
        agent_path=None,
        preferred_auth="publickey",
        gss_host=None,
        keepalive_interval=KEEPALIVE_SECONDS,
        keepalive_count_max=3,
        connect_timeout=CONNECT_SECONDS,
        login_timeout=CONNECT_SECONDS,
    )


async def _run(
    connection: asyncssh.SSHClientConnection, line: bytes, mark: bytes, stdin: bytes, limit_bytes: int
) -> Completed:
    """The mark separates what the shell's start-up files print from what the command prints. `exec`: no shell stays
    between, so a signal is the command's own, and shell functions and aliases are not looked up."""
    command = cast(str, b"printf '%s\\n' " + mark.strip() + b"; exec " + line)  # the library sends bytes as they are
    process = await _opened(connection, lambda: connection.create_process(command, encoding=None))
    try:
        output = await converse(
            process.stdin,
            stdin,
            stdout=process.stdout,
            stderr=process.stderr,
            ended=process.wait_closed(),
            limit_bytes=limit_bytes + NOISE_LIMIT_BYTES,
        )
        return _completed(process, output, mark, limit_bytes)
    finally:
        with suppress(OSError):  # it may have ended by itself
            process.kill()
        process.close()


async def _opened(connection: asyncssh.SSHClientConnection, attempt: Callable[[], Awaitable[T]]) -> T:
    """A channel that was not opened ran nothing, so trying again is safe."""
    for pause in OPEN_PAUSES:
        try:
            return await attempt()
        except asyncssh.ChannelOpenError:
            if connection.is_closed():
                raise
            await asyncio.sleep(pause)
    return await attempt()


def _completed(process: asyncssh.SSHClientProcess[bytes], output: Output, mark: bytes, limit_bytes: int) -> Completed:
    status = -signal.SIGKILL if output.truncated else process.returncode
    if status is None:
        raise Unreachable(
            "The connection broke before the command's end was known; what was asked may have happened.",
            "连接在命令结束前中断，所请求的操作可能已经执行。",
        )
    _, found, printed = bytes(output.stdout).partition(mark)
    if not found:
        raise Broken(
            "The account's login shell did not begin the command. It must be a POSIX shell, and its start-up files "
            "must not exit or print for long.",
            "账号的登录 shell 没有执行命令；它必须是 POSIX shell，且启动文件不提前退出、不大量输出。",
            exit_status=status,
            evidence=bytes(output.stdout + output.stderr),
        )
    stdout, stderr = printed[:limit_bytes], bytes(output.stderr[: max(0, limit_bytes - len(printed))])
    cut = output.truncated or len(stdout) + len(stderr) < len(printed) + len(output.stderr)
    return Completed(status, stdout, stderr, cut)
