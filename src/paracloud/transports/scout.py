"""Ways to a machine that is not connected yet: which key it shows, and logins as a connected one would have them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncssh

from paracloud.kit.clock import Clock
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName
from paracloud.transports.pool import PooledReach
from paracloud.transports.signing import Signer
from paracloud.transports.ssh import CONNECT_SECONDS, HOST_KEY_ALGORITHMS, Address
from paracloud.transports.transport import Reach


class Scout:
    def __init__(self, signer: Signer, clock: Clock) -> None:
        self._signer, self._clock = signer, clock

    async def host_key(self, host: str, port: int) -> str:
        """The public key that the machine shows now, one line; nobody has vouched for it. Invalid where none answers:
        it is the request that names the machine."""
        try:
            async with asyncio.timeout(CONNECT_SECONDS):
                key = await asyncssh.get_server_host_key(host, port, server_host_key_algs=list(HOST_KEY_ALGORITHMS))
        except (asyncssh.Error, OSError, TimeoutError, UnicodeError) as error:
            raise _no_answer(host, port) from error
        if key is None:
            raise _no_answer(host, port)
        return " ".join(key.export_public_key("openssh").decode().split()[:2])

    @asynccontextmanager
    async def reach(self, address: Address) -> AsyncIterator[Reach]:
        """Whatever the name of the centre, this address; the connections end with the block."""

        async def lookup(_centre: CentreName) -> Address:
            return address

        async with PooledReach(lookup, self._signer, self._clock) as reach:
            yield reach


def _no_answer(host: str, port: int) -> Invalid:
    return Invalid(
        f"{host} does not answer on SSH at port {port}. Are name, port and firewall right?",
        f"{host} 的 {port} 端口没有 SSH 应答；请检查主机名、端口和防火墙。",
        field="host",
    )


def fingerprint(host_key: str) -> str:
    """As ssh shows it: SHA256:… ; Invalid for what is no key."""
    try:
        return asyncssh.import_public_key(host_key).get_fingerprint()
    except asyncssh.KeyImportError as error:
        raise Invalid(
            "host_key: write one line as in ssh_host_ed25519_key.pub.",
            "host_key：应为 ssh_host_ed25519_key.pub 中的一行。",
            field="host_key",
        ) from error
