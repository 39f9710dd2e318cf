"""The platform's side of SSH for tests: an authority that serves on a socket, and a reach through it."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.contract.sshd import Sshd, can_start

from paracloud.kit.clock import SystemClock
from paracloud.kit.identifiers import CentreName
from paracloud.transports.authority import Authority, Policy, open_authority, serve
from paracloud.transports.pool import Limits, PooledReach
from paracloud.transports.signing import SocketSigner
from paracloud.transports.ssh import Address

CENTRE = CentreName("east")


@dataclass(frozen=True)
class Stand:
    """One sshd, and the authority that it trusts."""

    sshd: Sshd
    authority: Authority
    socket: Path

    @property
    def address(self) -> Address:
        return Address("127.0.0.1", self.sshd.port, self.sshd.host_key)

    def reach(self, limits: Limits | None = None) -> PooledReach:
        async def lookup(_: CentreName) -> Address:
            return self.address

        return PooledReach(lookup, SocketSigner(self.socket), SystemClock(), limits)


@contextmanager
def open_folder() -> Iterator[Path]:
    """A folder that every account can walk through."""
    with TemporaryDirectory(prefix="paracloud-ssh-", dir="/var/tmp") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


@asynccontextmanager
async def serving(authority: Authority, socket: Path) -> AsyncIterator[None]:
    task = asyncio.create_task(serve(socket, authority))
    try:
        async with asyncio.timeout(10):
            while not socket.exists() and not task.done():
                await asyncio.sleep(0.01)
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


@asynccontextmanager
async def standing(policy: Policy | None = None) -> AsyncIterator[Stand]:
    if os.getuid() != 0:
        pytest.skip("needs root")
    if not can_start():
        pytest.fail("OpenSSH's sshd is not here; ./run installs it")
    with open_folder() as folder:
        authority = open_authority(folder / "authority", policy)
        sshd = Sshd(folder, authority.public_key)
        try:
            async with serving(authority, folder / "authority.sock"):
                yield Stand(sshd, authority, folder / "authority.sock")
        finally:
            sshd.stop()
            authority.close()
