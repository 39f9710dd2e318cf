"""One account's trouble does not stop the others, and nothing of a round goes on behind it."""

import asyncio
from datetime import timedelta

import pytest
from tests.contract.stands import MemoryStand
from tests.paracloud.jobs.test_settle import Centre
from tests.paracloud.jobs.world import EAST, SCRIPT, StillClock

from paracloud.jobs.book import Dispatch
from paracloud.jobs.dispatch import dispatch
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.request import request
from paracloud.jobs.spec import JobSpec
from paracloud.kit.command import Command
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import JobId, NativeId, UnixAccount, new_uuid, submit_tag


class SlowCentre(Centre):
    """Answers one of two accounts only when it is let."""

    most_at_once = 100

    def __init__(self) -> None:
        super().__init__()
        self.may_answer = asyncio.Event()
        self.is_slow = True

    def script(self, request):
        return SCRIPT

    def submit(self, batch):
        return Command(("guard",), lambda _: {tag: NativeId("7") for tag in batch})

    async def run(self, argv, *, stdin, timeout, limit_bytes):
        is_slow, self.is_slow = self.is_slow, False
        if is_slow:
            await self.may_answer.wait()
        return await super().run(argv, stdin=stdin, timeout=timeout, limit_bytes=limit_bytes)


class BadBook:
    """Keeps the first answer, and is lost at the other one."""

    def __init__(self) -> None:
        self.kept = 0

    async def intend(self, lease, *, limit):
        return [self._dispatch(account) for account in ("east0", "east1")]

    async def submitted(self, lease, answers, *, postponed):
        self.kept += 1
        if self.kept == 1:
            raise Unreachable("lost", "断开")

    def _dispatch(self, account: str) -> Dispatch:
        job = JobId(new_uuid())
        asked = request(job, JobSpec("x", SCRIPT, timedelta(hours=1)), "cpu", (), is_held=False)
        return Dispatch(job, submit_tag(job), UnixAccount(account), asked, ())


async def test_a_round_that_fails_for_one_account_ends_only_after_the_others() -> None:
    stand, book, centre = MemoryStand(), BadBook(), SlowCentre()
    lease = await stand.claim()
    outpost = Outpost(EAST, UnixAccount("watcher"), timedelta(minutes=10), centre, centre, centre, StillClock())
    round_ = asyncio.ensure_future(dispatch(book, outpost, lambda: lease, stage=None))
    while not book.kept:
        await asyncio.sleep(0)
    for _ in range(10):
        await asyncio.sleep(0)
    assert not round_.done()
    centre.may_answer.set()
    with pytest.raises(Unreachable):
        await round_
    assert book.kept == 2
