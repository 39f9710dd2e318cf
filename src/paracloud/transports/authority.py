"""The platform's own certificate authority: a process that holds the signing key and does nothing else.

It signs for one account, for five minutes, with a key id that names tenant, user and request, and it says no to root
and to the system's accounts whoever asks. Nobody can ask for more time. Its socket is open to its own Unix user alone.
"""

import asyncio
import json
import os
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISVTX

import asyncssh
import structlog

from paracloud.kit.errors import Conflict, Forbidden
from paracloud.transports.serials import Serials, open_serials
from paracloud.transports.signing import LINE_LIMIT_BYTES

LIFETIME_SECONDS = 300
CLOCK_SKEW_SECONDS = 60
"""How far a centre's clock may be behind ours: the beginning of the five minutes lies so far back."""
REQUEST_SECONDS = 10.0
KEY_ID = re.compile(r"tenant=[\w.-]{1,64};user=[\w.:@/-]{1,64};req=[\w.:@/-]{1,80}", re.ASCII)
NEVER = frozenset(
    """
    root toor admin administrator wheel sudo operator daemon bin sys sync games man lp mail news uucp proxy backup list
    irc gnats nobody sshd ftp ntp rpc tss dbus messagebus polkitd chrony slurm slurmrest munge postgres mysql mariadb
    ldap nslcd sssd www-data nginx apache docker ubuntu debian centos rocky ec2-user vagrant ansible
    """.split()  # noqa: SIM905  # sixty lines otherwise
)
"""Names that a system's packages and images give to accounts with power."""

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Policy:
    """`principals`: the account names that may be signed for, beyond the names that never are. `source_addresses`:
    networks that a login must come from (CIDR), where all centres see the platform at fixed addresses."""

    principals: re.Pattern[str] = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
    source_addresses: Sequence[str] = ()


class Authority:
    """Holds the key; `sign` is its whole use."""

    def __init__(self, key: asyncssh.SSHKey, serials: Serials, policy: Policy | None = None) -> None:
        self._key, self._serials, self._policy = key, serials, policy or Policy()

    @property
    def public_key(self) -> str:
        """One line for TrustedUserCAKeys."""
        return self._key.export_public_key("openssh").decode().strip()

    def close(self) -> None:
        self._serials.close()

    def sign(self, public_key: str, principal: str, key_id: str) -> str:
        """An OpenSSH certificate. Forbidden says which rule was broken."""
        self._check(principal, key_id)
        subject, now, serial = _subject(public_key), int(time.time()), self._serials.take()
        certificate = self._key.generate_user_certificate(
            subject,
            key_id,
            serial=serial,
            principals=[principal],
            valid_after=now - CLOCK_SKEW_SECONDS,
            valid_before=now - CLOCK_SKEW_SECONDS + LIFETIME_SECONDS,
            source_address=list(self._policy.source_addresses) or None,
            permit_x11_forwarding=False,
            permit_agent_forwarding=False,
            permit_port_forwarding=False,
            permit_pty=False,
            permit_user_rc=False,
        )
        log.info("authority.signed", serial=serial, principal=principal, key_id=key_id)
        return certificate.export_certificate("openssh").decode().strip()

    def _check(self, principal: str, key_id: str) -> None:
        if principal in NEVER or not self._policy.principals.fullmatch(principal):
            raise Forbidden(
                f"No certificate is ever signed for {principal[:64]!r}; name an account that a centre lends.",
                f"不为 {principal[:64]!r} 签发证书；请使用超算中心出借的账号。",
            )
        if not KEY_ID.fullmatch(key_id):
            raise Forbidden(
                "A certificate's key id is tenant=…;user=…;req=… of letters, digits and ._:@/-.",
                "证书标识的格式为 tenant=…;user=…;req=…，只含字母、数字和 ._:@/-。",
            )


def open_authority(path: Path, policy: Policy | None = None) -> Authority:
    """Read the signing key, or make it at the first start; its public half is beside it, `.pub`, for everybody to read.
    Forbidden where others may read or replace the key; Conflict where another authority has it open."""
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="paracloud")
        _write_private(path, key.export_private_key("openssh"))
    _refuse_loose(path)
    authority = Authority(asyncssh.read_private_key(path), open_serials(path.with_suffix(".serial")), policy)
    path.with_suffix(".pub").write_text(authority.public_key + "\n")
    return authority


async def serve(socket: Path, authority: Authority) -> None:
    """Answer until cancelled. The socket is 0600 from its first moment."""
    await _refuse_second(socket)
    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(_answering(authority), str(socket), limit=LINE_LIMIT_BYTES)
    finally:
        os.umask(before)
    try:
        async with server:
            await server.serve_forever()
    finally:
        await asyncio.to_thread(socket.unlink, missing_ok=True)


def _subject(public_key: str) -> asyncssh.SSHKey:
    try:
        return asyncssh.import_public_key(public_key)
    except asyncssh.KeyImportError as error:
        raise Forbidden(
            "The public key is not understood; send one line in OpenSSH's form.", "无法识别公钥；请使用 OpenSSH 格式。"
        ) from error


def _write_private(path: Path, content: bytes) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _refuse_loose(path: Path) -> None:
    """The file is ours alone, and nobody else can put another in its place."""
    key, folder = path.stat(), path.resolve().parent.stat()
    is_open = key.st_mode & 0o077 or key.st_uid != os.geteuid()
    is_replaceable = folder.st_mode & 0o022 and not folder.st_mode & S_ISVTX
    if is_open or is_replaceable:
        raise Forbidden(
            f"{path} or its folder is open to others; make the file ours with chmod 600, its folder with chmod go-w.",
            f"{path} 或其目录对他人开放；请对文件执行 chmod 600，对目录执行 chmod go-w，并确认属主。",
        )


async def _refuse_second(socket: Path) -> None:
    """A socket that nobody listens on is left over, and is removed."""
    if not await asyncio.to_thread(socket.is_socket):
        return
    try:
        _, writer = await asyncio.open_unix_connection(str(socket))
    except OSError:
        await asyncio.to_thread(socket.unlink, missing_ok=True)
        return
    writer.close()
    raise Conflict(
        f"Another certificate authority answers on {socket}; stop it first.",
        f"另一个证书签发进程正在 {socket} 上工作，请先停止它。",
    )


def _answering(authority: Authority) -> Answer:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(REQUEST_SECONDS):
                writer.write(json.dumps(_decide(authority, await reader.readuntil(b"\n"))).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.warning("authority.no_request")
        finally:
            writer.close()

    return answer


def _decide(authority: Authority, line: bytes) -> dict[str, str]:
    try:
        fields = json.loads(line)
        public_key, principal, key_id = str(fields["public_key"]), str(fields["principal"]), str(fields["key_id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        log.warning("authority.refused", reason="not understood")
        return {"en": "The request is not understood.", "zh": "无法理解该请求。"}
    try:
        return {"certificate": authority.sign(public_key, principal, key_id)}
    except Forbidden as refusal:
        log.warning("authority.refused", reason=refusal.en, principal=principal[:64], key_id=key_id[:256])
        return {"en": refusal.en, "zh": refusal.zh}
