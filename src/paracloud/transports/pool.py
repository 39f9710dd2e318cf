"""Connections, one for each account at a centre: opened when needed with a certificate of minutes, shared, and closed
when nobody has used them for a while."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from types import TracebackType
from typing import Self

import asyncssh

from paracloud.kit.clock import Clock
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.failures import login_errors
from paracloud.transports.signing import Signer, Wanted, key_id
from paracloud.transports.ssh import CONNECT_SECONDS, Address, Link, SshTransport, connect
from paracloud.transports.transport import Transport

CLOSE_SECONDS = 5
Lookup = Callable[[CentreName], Awaitable[Address]]


@dataclass(frozen=True, slots=True)
class Limits:
    """`age`: how long one login may serve, so that a centre's revocation takes hold although a connection is in use.
    `per_centre`: connections at the same time; whoever needs one more waits up to `wait` for another to fall idle.
    `look`: how long a connection may be lent on before it is asked again whether the centre is still there."""

    idle: timedelta = timedelta(minutes=5)
    age: timedelta = timedelta(minutes=30)
    look: timedelta = timedelta(seconds=10)
    per_centre: int = 32
    wait: timedelta = timedelta(seconds=30)


@dataclass(eq=False, slots=True)
class _Shared:
    """`resting`: nobody uses it, and this timer will close it."""

    account: UnixAccount
    address: Address
    link: Link
    born_at: float
    users: int = 0
    resting: asyncio.TimerHandle | None = None
    is_retired: bool = False
    is_returned: bool = False


@dataclass(eq=False, slots=True)
class _Place:
    """A centre's connections. `all` has those too that are retired but still in use. `look_at`: from then on its
    address is asked again."""

    permits: asyncio.Semaphore
    look_at: float
    waiting: int = 0
    current: dict[UnixAccount, _Shared] = field(default_factory=dict)
    opening: dict[UnixAccount, asyncio.Task[_Shared]] = field(default_factory=dict)
    all: set[_Shared] = field(default_factory=set)


class PooledReach:
    """Implements Reach. One key pair for this process, made at its start and never stored."""

    def __init__(self, lookup: Lookup, signer: Signer, clock: Clock, limits: Limits | None = None) -> None:
        self._lookup, self._signer, self._clock, self._limits = lookup, signer, clock, limits or Limits()
        self._key = asyncssh.generate_private_key("ssh-ed25519")
        self._public_key = self._key.export_public_key("openssh").decode().strip()
        self._places: dict[CentreName, _Place] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def to(self, centre: CentreName, account: UnixAccount, *, purpose: str) -> Transport:
        """Connects at the first use, and again after a loss. `purpose` is "user/request" (see signing.key_id): it
        stands in the centre's log for the login that this caller opens, not for one that it shares."""

        def lend() -> AbstractAsyncContextManager[Link]:
            return self._lent(centre, account, purpose)

        return SshTransport(lend)

    async def close(self) -> None:
        places, self._places = list(self._places.values()), {}
        attempts = [task for place in places for task in place.opening.values()]
        for task in attempts:
            task.cancel()
        await asyncio.gather(*attempts, return_exceptions=True)
        links = [(place, shared) for place in places for shared in tuple(place.all)]
        for place, shared in links:
            _end(place, shared)
        if links:
            await asyncio.wait(
                [asyncio.ensure_future(shared.link.connection.wait_closed()) for _, shared in links],
                timeout=CLOSE_SECONDS,
            )

    @asynccontextmanager
    async def _lent(self, centre: CentreName, account: UnixAccount, purpose: str) -> AsyncIterator[Link]:
        permits, look_at = asyncio.Semaphore(self._limits.per_centre), self._next_look()
        place = self._places.setdefault(centre, _Place(permits, look_at))
        await self._look_again(place, centre)
        shared = await self._shared(place, centre, account, purpose)
        shared.users += 1
        _wake(shared)
        try:
            yield shared.link
        finally:
            shared.users -= 1
            if shared.users == 0:
                self._rest(place, shared)

    async def _look_again(self, place: _Place, centre: CentreName) -> None:
        """Of a centre that has another address or host key by now, nobody new gets a connection to the old one."""
        if not place.current or self._clock.monotonic() < place.look_at:
            return
        place.look_at = self._next_look()
        address = await self._lookup(centre)
        for shared in [one for one in place.current.values() if one.address != address]:
            _retire(place, shared)

    def _next_look(self) -> float:
        return self._clock.monotonic() + self._limits.look.total_seconds()

    async def _shared(self, place: _Place, centre: CentreName, account: UnixAccount, purpose: str) -> _Shared:
        """The one in use, or the one being opened by whoever came first; its failure is everybody's."""
        found = place.current.get(account)
        if found is not None and self._is_fresh(found):
            return found
        if found is not None:
            _retire(place, found)
        attempt = place.opening.get(account)
        if attempt is None:
            attempt = asyncio.create_task(self._open(place, centre, account, purpose))
            place.opening[account] = attempt
            attempt.add_done_callback(lambda done: _attempted(place, account, done))
        return await asyncio.shield(attempt)

    def _is_fresh(self, shared: _Shared) -> bool:
        age = self._clock.monotonic() - shared.born_at
        return not shared.link.is_closed and age < self._limits.age.total_seconds()

    async def _open(self, place: _Place, centre: CentreName, account: UnixAccount, purpose: str) -> _Shared:
        await self._permit(place, centre)
        try:
            address = await self._lookup(centre)
            connection = await self._connect(address, centre, account, purpose)
        except BaseException:
            place.permits.release()
            raise
        shared = _Shared(account, address, Link(connection), self._clock.monotonic())
        place.current[account] = shared
        place.all.add(shared)
        self._start_timer(place, shared)
        return shared

    async def _permit(self, place: _Place, centre: CentreName) -> None:
        if place.permits.locked():
            _end_longest_idle(place)
        place.waiting += 1
        try:
            async with asyncio.timeout(self._limits.wait.total_seconds()):
                await place.permits.acquire()
        except TimeoutError as error:
            raise Unreachable(
                f"All {self._limits.per_centre} connections to {centre} are in use; try again.",
                f"到 {centre} 的 {self._limits.per_centre} 个连接都在使用，请稍后重试。",
            ) from error
        finally:
            place.waiting -= 1

    async def _connect(
        self, address: Address, centre: CentreName, account: UnixAccount, purpose: str
    ) -> asyncssh.SSHClientConnection:
        certificate = await self._signer.sign(Wanted(self._public_key, account, key_id(account, purpose)))
        with login_errors(centre, account):
            async with asyncio.timeout(CONNECT_SECONDS):
                return await connect(address, account, self._key, certificate)

    def _rest(self, place: _Place, shared: _Shared) -> None:
        is_wanted = place.waiting > 0 and place.permits.locked()
        if is_wanted or shared.is_retired or shared.link.is_closed:
            _end(place, shared)
        else:
            self._start_timer(place, shared)

    def _start_timer(self, place: _Place, shared: _Shared) -> None:
        loop = asyncio.get_running_loop()
        shared.resting = loop.call_later(self._limits.idle.total_seconds(), _end, place, shared)


def _attempted(place: _Place, account: UnixAccount, attempt: asyncio.Task[_Shared]) -> None:
    place.opening.pop(account, None)
    if not attempt.cancelled():
        attempt.exception()  # looked at, also where everybody who waited for it has gone


def _wake(shared: _Shared) -> None:
    if shared.resting is not None:
        shared.resting.cancel()
        shared.resting = None


def _retire(place: _Place, shared: _Shared) -> None:
    """No new user gets it; the last one closes it."""
    shared.is_retired = True
    if place.current.get(shared.account) is shared:
        del place.current[shared.account]
    if shared.users == 0:
        _end(place, shared)


def _end_longest_idle(place: _Place) -> None:
    idle = [(shared.resting.when(), shared) for shared in place.all if shared.resting is not None]
    if idle:
        _end(place, min(idle, key=lambda pair: pair[0])[1])


def _end(place: _Place, shared: _Shared) -> None:
    _wake(shared)
    shared.link.connection.close()
    place.all.discard(shared)
    if place.current.get(shared.account) is shared:
        del place.current[shared.account]
    if not shared.is_returned:
        shared.is_returned = True
        place.permits.release()
