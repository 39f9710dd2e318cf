"""Connections, one for each account at a centre, opened when needed with a certificate of minutes, shared, and closed
when nobody has used them for a while."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncssh

from paracloud.kit.clock import Clock
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.signing import Signer, Wanted
from paracloud.transports.ssh import Address, SshTransport
from paracloud.transports.transport import Transport

CONNECT_SECONDS = 20
KEEPALIVE_SECONDS = 15
IDLE = timedelta(minutes=5)

Lookup = Callable[[CentreName], Awaitable[Address]]


class _Open:
    def __init__(self, connection: asyncssh.SSHClientConnection, at: float) -> None:
        self.connection, self.transport, self.used_at = connection, SshTransport(connection), at

    @property
    def is_alive(self) -> bool:
        return not self.connection.is_closed()


class PooledReach:
    """Implements Reach. `tenant` in the certificate's key id is the account, `purpose` is `user;req` for the log."""

    def __init__(self, lookup: Lookup, signer: Signer, clock: Clock) -> None:
        self._lookup, self._signer, self._clock = lookup, signer, clock
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._public_key = self._key.export_public_key("openssh").decode().strip()
        self._open: dict[tuple[CentreName, UnixAccount], _Open] = {}
        self._locks: dict[tuple[CentreName, UnixAccount], asyncio.Lock] = {}

    async def to(self, centre: CentreName, account: UnixAccount, *, purpose: str) -> Transport:
        """`purpose` is "user/request", of letters, digits and ._:@/- (anything else is replaced)."""
        self._close_idle()
        place = (centre, account)
        async with self._locks.setdefault(place, asyncio.Lock()):
            found = self._open.get(place)
            if found is None or not found.is_alive:
                found = _Open(await self._connect(centre, account, purpose), self._clock.monotonic())
                self._open[place] = found
            found.used_at = self._clock.monotonic()
            return found.transport

    async def close(self) -> None:
        opened, self._open = list(self._open.values()), {}
        for one in opened:
            one.connection.close()
        for one in opened:
            await one.connection.wait_closed()

    async def _connect(self, centre: CentreName, account: UnixAccount, purpose: str) -> asyncssh.SSHClientConnection:
        address = await self._lookup(centre)
        certificate = await self._signer.sign(Wanted(self._public_key, account, key_id(account, purpose)))
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                return await connect(address, account, self._key, certificate)
        except asyncssh.HostKeyNotVerifiable as error:
            raise Unreachable(
                f"{centre} shows another host key than the pinned one; nothing was sent. Ask the centre why.",
                f"{centre} 的主机密钥与登记的不一致，未发送任何内容；请向超算中心核实。",
            ) from error
        except asyncssh.PermissionDenied as error:
            raise Unreachable(
                f"{centre} refuses the login of {account}; does it trust our authority?",
                f"{centre} 拒绝账号 {account} 登录；请确认其信任本平台的证书。",
            ) from error
        except (asyncssh.Error, OSError, TimeoutError) as error:
            raise Unreachable(f"{centre} does not answer on SSH.", f"{centre} 的 SSH 没有响应。") from error

    def _close_idle(self) -> None:
        now = self._clock.monotonic()
        for place, one in list(self._open.items()):
            if not one.is_alive or now - one.used_at > IDLE.total_seconds():
                one.connection.close()
                del self._open[place]


def key_id(account: UnixAccount, purpose: str) -> str:
    user, _, request = "".join(c if c.isascii() and (c.isalnum() or c in "._:@/-") else "_" for c in purpose).partition(
        "/"
    )
    return f"tenant={account};user={user[:64] or '-'};req={request[:80] or '-'}"


async def connect(
    address: Address, account: str, key: asyncssh.SSHKey, certificate: str | None
) -> asyncssh.SSHClientConnection:
    """One login: no agent, no password, no user configuration, and only the pinned host key."""
    pinned = asyncssh.import_known_hosts(f"[{address.host}]:{address.port} {address.host_key}\n")
    client_key = key if certificate is None else (key, asyncssh.import_certificate(certificate))
    return await asyncssh.connect(
        address.host,
        address.port,
        username=account,
        client_keys=[client_key],
        known_hosts=pinned,
        config=None,
        agent_path=None,
        preferred_auth="publickey",
        keepalive_interval=KEEPALIVE_SECONDS,
        connect_timeout=CONNECT_SECONDS,
    )
