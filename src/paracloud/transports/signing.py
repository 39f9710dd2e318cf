"""Where certificates come from: what a login asks for, and the client of the authority's process."""

import asyncio
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from paracloud.kit.errors import Broken, Forbidden, Unreachable
from paracloud.kit.identifiers import UnixAccount

ANSWER_SECONDS = 10.0
LINE_LIMIT_BYTES = 16 * 1024
_UNSAID = re.compile(r"[^A-Za-z0-9._:@/-]")


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


def key_id(account: UnixAccount, purpose: str) -> str:
    """`purpose` is "user/request"; without a user it is the platform itself. Letters, digits and ._:@/- stay, anything
    else becomes _, so that nobody's text can write a line of its own into a centre's log."""
    user, slash, request = _UNSAID.sub("_", purpose).partition("/")
    if not slash:
        user, request = "platform", user
    return f"tenant={account};user={user[:64] or '-'};req={request[:80] or '-'}"


class SocketSigner:
    """Asks the authority on its Unix socket: one line of JSON each way, one connection a request."""

    def __init__(self, socket: Path) -> None:
        self._socket = socket

    async def sign(self, wanted: Wanted) -> str:
        line = json.dumps({"public_key": wanted.public_key, "principal": wanted.principal, "key_id": wanted.key_id})
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await self._ask(line.encode() + b"\n")
        except (OSError, TimeoutError, asyncio.IncompleteReadError, asyncio.LimitOverrunError) as error:
            raise Unreachable(
                f"The certificate authority does not answer on {self._socket}; is it running?",
                f"证书签发进程在 {self._socket} 上没有响应；请确认它正在运行。",
            ) from error
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
        if "certificate" in fields:
            return str(fields["certificate"])
        refusal = Forbidden(str(fields["en"]), str(fields["zh"]))
    except (ValueError, KeyError, TypeError) as error:
        raise Broken(
            "The authority's answer is not understood.", "无法理解证书签发进程的应答。", evidence=answer
        ) from error
    raise refusal
