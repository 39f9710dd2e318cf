"""The platform's own certificate authority: a process that holds the signing key and does nothing else.

It signs for one account, for at most five minutes, with a key id that names tenant, user and request, and it says no
to root and to the system's accounts whoever asks. Its socket is open to its own Unix user alone.
"""

import asyncio
import json
import os
import re
import secrets
import time
from pathlib import Path

import asyncssh
import structlog

from paracloud.kit.errors import Forbidden
from paracloud.transports.signing import LINE_LIMIT_BYTES

LIFETIME_SECONDS = 300
CLOCK_SKEW_SECONDS = 60
"""A centre's clock may be behind ours by so much; it counts towards nothing but the beginning of validity."""
PRINCIPAL = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
KEY_ID = re.compile(r"tenant=[\w.:@/-]{1,64};user=[\w.:@/-]{1,64};req=[\w.:@/-]{1,80}", re.ASCII)
NEVER = frozenset(
    {
        "root",
        "daemon",
        "bin",
        "sys",
        "sync",
        "nobody",
        "slurm",
        "munge",
        "sshd",
        "postgres",
        "mysql",
        "admin",
        "www-data",
    }
)

log = structlog.get_logger()


class Authority:
    """Holds the key; `sign` is its whole policy."""

    def __init__(self, key: asyncssh.SSHKey) -> None:
        self._key = key

    @property
    def public_key(self) -> str:
        """One line for TrustedUserCAKeys."""
        return self._key.export_public_key("openssh").decode().strip()

    def sign(self, public_key: str, principal: str, key_id: str) -> str:
        """An OpenSSH certificate. Forbidden says which rule was broken."""
        if not PRINCIPAL.fullmatch(principal) or principal in NEVER:
            raise Forbidden(f"{principal!r} is never signed for", f"不为 {principal!r} 签发证书")
        if not KEY_ID.fullmatch(key_id):
            raise Forbidden("the key id must name tenant, user and req", "证书标识必须包含 tenant、user 和 req")
        try:
            subject = asyncssh.import_public_key(public_key)
        except asyncssh.KeyImportError as error:
            raise Forbidden("the public key is not understood", "无法识别公钥") from error
        now = int(time.time())
        certificate = self._key.generate_user_certificate(
            subject,
            key_id,
            serial=secrets.randbits(63),
            principals=[principal],
            valid_after=now - CLOCK_SKEW_SECONDS,
            valid_before=now + LIFETIME_SECONDS - CLOCK_SKEW_SECONDS,
            permit_x11_forwarding=False,
            permit_agent_forwarding=False,
            permit_port_forwarding=False,
            permit_pty=False,
            permit_user_rc=False,
        )
        return certificate.export_certificate("openssh").decode().strip()


def open_authority(path: Path) -> Authority:
    """Read the signing key, or make one at the first start. Forbidden where others may read the file."""
    if not path.exists():
        key = asyncssh.generate_private_key("ssh-ed25519", comment="paracloud")
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(key.export_private_key("openssh"))
        path.with_suffix(".pub").write_bytes(key.export_public_key("openssh"))
    mode = path.stat().st_mode & 0o777
    if mode & 0o077:
        raise Forbidden(
            f"{path} is open to others (mode {mode:o}); run chmod 600 on it.",
            f"{path} 对他人可读（权限 {mode:o}）；请执行 chmod 600。",
        )
    return Authority(asyncssh.read_private_key(path))


async def serve(socket: Path, authority: Authority) -> None:
    """Answer until cancelled. The socket is 0600 from its first moment."""
    await asyncio.to_thread(socket.unlink, missing_ok=True)

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(10):
                line = await reader.readuntil(b"\n")
                writer.write(json.dumps(_decide(authority, line)).encode() + b"\n")
                await writer.drain()
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
            log.warning("authority.no_request")
        finally:
            writer.close()

    before = os.umask(0o177)
    try:
        server = await asyncio.start_unix_server(answer, str(socket), limit=LINE_LIMIT_BYTES)
    finally:
        os.umask(before)
    async with server:
        await server.serve_forever()


def _decide(authority: Authority, line: bytes) -> dict[str, str]:
    try:
        fields = json.loads(line)
        public_key, principal, key_id = str(fields["public_key"]), str(fields["principal"]), str(fields["key_id"])
        certificate = authority.sign(public_key, principal, key_id)
    except Forbidden as refusal:
        log.warning("authority.refused", reason=refusal.en)
        return {"refused": refusal.en}
    except (ValueError, KeyError, TypeError):
        log.warning("authority.refused", reason="not understood")
        return {"refused": "the request is not understood"}
    log.info("authority.signed", principal=principal, key_id=key_id)
    return {"certificate": certificate}
