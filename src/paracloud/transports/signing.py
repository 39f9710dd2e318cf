"""Where certificates come from: what a login asks for, and the client of the authority's process."""

import asyncio
import json
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from paracloud.kit.errors import Broken, Forbidden, Unreachable
from paracloud.kit.identifiers import UnixAccount

ANSWER_SECONDS = 10.0
LINE_LIMIT_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class Wanted:
    """A certificate for `public_key` (OpenSSH form), good for one account. `key_id` is what sshd's log will show."""

    public_key: str
    principal: UnixAccount
    key_id: str


class Signer(Protocol):
    async def sign(self, wanted: Wanted) -> str:
        """An OpenSSH user certificate of at most five minutes. Forbidden where the policy says no."""
        ...


class SocketSigner:
    """Asks the authority on its Unix socket: one line of JSON each way, one connection a request."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def sign(self, wanted: Wanted) -> str:
        line = json.dumps({"public_key": wanted.public_key, "principal": wanted.principal, "key_id": wanted.key_id})
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._ask(line.encode() + b"\n")
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise Unreachable("The certificate authority does not answer.", "证书签发进程没有响应。") from error
        return _certificate(answer)

    async def _ask(self, line: bytes) -> bytes:
        reader, writer = await asyncio.open_unix_connection(str(self._socket), limit=LINE_LIMIT_BYTES)
        try:
            writer.write(line)
            await writer.drain()
            return await reader.readuntil(b"\n")
        finally:
            writer.close()


def _certificate(answer: bytes) -> str:
    try:
        fields = json.loads(answer)
        if "refused" in fields:
            reason = str(fields["refused"])
            raise Forbidden(f"No certificate: {reason}.", f"未签发证书：{reason}。")
        return str(fields["certificate"])
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(
            "The authority's answer is not understood.", "无法理解证书签发进程的应答。", evidence=answer
        ) from error
