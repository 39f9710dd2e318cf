"""One account's trouble does not stop the others, and nothing of a round goes on behind it."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from tests.contract.stands import MemoryStand
from tests.paracloud.jobs.test_settle import Centre
from tests.paracloud.jobs.world import EAST, SCRIPT, StillClock

from paracloud.dialects.weight import Weight
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
        self.shared: dict[str, int] = {}
        self.batches: list[tuple[int, int]] = []

    def script(self, request):
        return SCRIPT

    def weigh(self, script, *, is_retry):
        return Weight(3 if is_retry else 1, self.shared)

    def submit(self, batch, retried=()):
        self.batches.append((len(batch), len(retried)))
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


class GoodBook(BadBook):
    """Of one account; the first of its jobs are tried again."""

    def __init__(self, jobs: int, *, retries: int) -> None:
        super().__init__()
        self.jobs, self.retries = jobs, retries

    async def intend(self, lease, *, limit):
        jobs = [self._dispatch("east0") for _ in range(self.jobs)]
        return [replace(one, is_first_try=at >= self.retries) for at, one in enumerate(jobs)]

    async def submitted(self, lease, answers, *, postponed):
        self.kept += len(answers)


@pytest.mark.parametrize(
    ("most", "shared", "retries", "expected"),
    [
        (100, {}, 0, [(6, 0)]),
        (4, {}, 0, [(4, 0), (2, 0)]),
        (4, {}, 2, [(1, 1), (2, 1), (3, 0)]),
        (15, {"cpu": 12}, 0, [(3, 0), (3, 0)]),
        (2, {"cpu": 12}, 0, [(1, 0)] * 6),
    ],
)
async def test_a_part_costs_no_more_than_may_come_at_once_unless_it_is_one_job(most, shared, retries, expected) -> None:
    """What a queue's jobs share counts once in each part."""
    stand, book, centre = MemoryStand(), GoodBook(6, retries=retries), SlowCentre()
    centre.may_answer.set()
    centre.most_at_once, centre.shared = most, shared
    lease = await stand.claim()
    outpost = Outpost(EAST, UnixAccount("watcher"), timedelta(minutes=10), centre, centre, centre, StillClock())
    await dispatch(book, outpost, lambda: lease, stage=None)
    assert (centre.batches, book.kept) == (expected, 6)
