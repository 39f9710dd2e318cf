"""A centre that is not what it was composed of is let go, and tended anew as it is."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from types import SimpleNamespace

import pytest
from tests.paracloud.jobs.world import EAST, WEST, StillClock

from paracloud.centres.centre import Centre
from paracloud.jobs.outpost import Outpost
from paracloud.kit.clock import SystemClock
from paracloud.kit.identifiers import UnixAccount, WorkerId
from paracloud.kit.lease import Lease
from paracloud.worker.worker import Worker

CENTRE = Centre(
    name=EAST, title_en="East", title_zh="东", host="login.east", port=22, host_key="ssh-ed25519 AAAA", dialect="slurm",
    service_account=UnixAccount("watcher"), commands_per_minute=60, patience=timedelta(minutes=10),
    overrun=timedelta(0), region="华东", is_enabled=True,
)  # fmt: skip


class Waiting:
    """Whatever is asked of it takes for ever, or until whoever asks is cancelled."""

    def __getattr__(self, _name: str):
        return lambda *_things, **_more: asyncio.Event().wait()


class Eager(StillClock):
    """Nobody waits for it."""

    async def sleep(self, _duration: timedelta) -> None:
        await asyncio.sleep(0)


class Leases:
    """Of one worker, who gets whatever is free."""

    def __init__(self) -> None:
        self.held: set[str] = set()
        self.claims: list[str] = []

    async def claim(self, centre):
        assert centre not in self.held, "claimed twice"
        self.held.add(centre)
        self.claims.append(centre)
        return Lease(centre, WorkerId("w"), len(self.claims), SystemClock().monotonic() + 10**9)

    async def renew(self, lease):
        return lease

    async def release(self, lease):
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.held.remove(lease.name)


def outpost(of: Centre) -> Outpost:
    nothing = SimpleNamespace()
    return Outpost(of.name, of.service_account, of.patience, nothing, nothing, nothing, Eager(), of.tended_by)


async def becomes(is_so: Callable[[], bool]) -> None:
    async with asyncio.timeout(10):
        while not is_so():
            await asyncio.sleep(0)


async def test_who_tends_a_centre_lets_it_go_when_it_has_changed_and_tends_it_anew() -> None:
    centres, leases, told = {EAST: CENTRE, WEST: replace(CENTRE, name=WEST)}, Leases(), []

    class Duties(Waiting):
        async def probe(self, at: Outpost, _lease) -> None:
            told.append(at.terms)
            await asyncio.Event().wait()

    async def outposts():
        return [outpost(one) for one in centres.values()]

    worker = Worker(Waiting(), leases, outposts, Duties(), Eager(), renew_every=timedelta(seconds=1))
    running = asyncio.create_task(worker.run())
    await becomes(lambda: len(told) == 2)
    centres[EAST] = replace(CENTRE, region="华北", is_enabled=False)
    for _ in range(50):
        await asyncio.sleep(0)
    assert leases.claims == [EAST, WEST], "what is no matter of theirs"
    centres[EAST] = replace(CENTRE, host="login2.east")
    await becomes(lambda: len(told) == 3)
    assert leases.claims == [EAST, WEST, EAST]
    assert told[2] == centres[EAST].tended_by
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert leases.held == set()


@pytest.mark.parametrize(
    ("changes", "matters"),
    [
        ({"host": "x"}, True),
        ({"port": 23}, True),
        ({"host_key": "ssh-ed25519 BBBB"}, True),
        ({"commands_per_minute": 12}, True),
        ({"patience": timedelta(seconds=1)}, True),
        ({"overrun": timedelta(minutes=1)}, False),
        ({"region": "", "is_enabled": False, "title_en": "x"}, False),
    ],
)
def test_only_what_who_tends_a_centre_goes_by_has_it_tended_anew(changes, matters: bool) -> None:
    assert (replace(CENTRE, **changes).tended_by != CENTRE.tended_by) is matters
