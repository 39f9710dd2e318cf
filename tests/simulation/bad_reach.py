"""The way to a simulated centre: lost before, during and after a command, whose remote side goes on."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from pathlib import Path

from tests.simulation.faults import Faults
from tests.simulation.login import Login
from tests.simulation.virtual_loop import VirtualLoop

from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Completed
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.transport import FileInfo, Transport


class BadReach:
    """Implements `Reach`. `cut_until`: the network to a centre is down so long."""

    def __init__(self, loop: VirtualLoop, faults: Faults, logins: Mapping[CentreName, Login]) -> None:
        self.loop, self.faults, self._logins = loop, faults, logins
        self.cut_until: dict[CentreName, float] = {}
        self.is_closed = False

    async def to(self, centre: CentreName, account: UnixAccount, *, purpose: str) -> Transport:
        assert purpose
        await self.pass_through(centre)
        return BadTransport(self, centre, account, self._logins[centre])

    async def pass_through(self, centre: CentreName) -> None:
        if self.is_closed:
            raise lost(centre)
        await asyncio.sleep(self.faults.seconds(0.005, 0.05))
        if self.loop.time() < self.cut_until.get(centre, 0.0) or self.faults.strikes(self.faults.ssh_lost / 3):
            raise lost(centre)


class BadTransport:
    """Implements `Transport`, as far as a worker uses it."""

    def __init__(self, reach: BadReach, centre: CentreName, account: UnixAccount, login: Login) -> None:
        self._reach, self._centre, self._account, self._login = reach, centre, account, login

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: bytes = b"",
        timeout: timedelta = timedelta(seconds=30),
        limit_bytes: int = OUTPUT_LIMIT_BYTES,
    ) -> Completed:
        faults, patience = self._reach.faults, timeout.total_seconds()
        await self._reach.pass_through(self._centre)
        remote = self._reach.loop.spawn(self._remote(argv, stdin))
        is_cut = faults.strikes(faults.ssh_lost / 3)
        done, _ = await asyncio.wait([remote], timeout=min(patience, faults.seconds(0, 0.5)) if is_cut else patience)
        if is_cut or not done or faults.strikes(faults.ssh_lost / 3):
            raise lost(self._centre)
        answer: Completed = remote.result()
        assert len(answer.stdout) <= limit_bytes
        return answer

    async def write(self, path: str, content: bytes, *, mode: int = 0o600) -> None:
        assert path
        assert content
        assert mode
        await self._reach.pass_through(self._centre)

    async def _remote(self, argv: Sequence[str], stdin: bytes) -> Completed:
        faults = self._reach.faults
        await asyncio.sleep(faults.seconds(1, 40) if faults.strikes(faults.ssh_slow) else faults.seconds(0.001, 0.02))
        return await self._login.run(self._account, argv, stdin)

    async def read(self, path: str, *, start: int = 0, limit_bytes: int) -> bytes:
        raise NotImplementedError

    async def list(self, directory: str, *, limit: int = 0) -> list[FileInfo]:
        raise NotImplementedError

    async def remove(self, path: str, *, tree: bool = False) -> None:
        raise NotImplementedError

    def push(self, local: Path, remote: str) -> AsyncIterator[int]:
        raise NotImplementedError

    def pull(self, remote: str, local: Path) -> AsyncIterator[int]:
        raise NotImplementedError


def lost(centre: CentreName) -> Unreachable:
    return Unreachable(f"The connection to {centre} was lost.", f"与 {centre} 的连接已断开。")
