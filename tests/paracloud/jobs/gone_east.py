"""A centre whose machines are off, and the word of a person that they are."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from sqlalchemy import text
from tests.paracloud.jobs.full_east import Office
from tests.paracloud.jobs.world import EAST, WEST, open_world, record

from paracloud.jobs import store_given_up
from paracloud.jobs.give_up import Fate, give_up
from paracloud.jobs.given_up import Remains, Word
from paracloud.jobs.market import read_market
from paracloud.jobs.say_gone import say_gone
from paracloud.kit.identifiers import CentreName, JobId, NativeId, UnixAccount, submit_tag

REASON = "the substation burnt down"
EAST0 = UnixAccount("east0")
CORE_SECOND = 100
"""Micro-yuan; of it the centre gets four fifths."""


@pytest.fixture
def opened(database) -> Callable[..., Awaitable[Office]]:
    async def open_office(**options) -> Office:
        return await Office.open(await open_world(database, **options))

    return open_office


async def say(office: Office, centre: CentreName = EAST, person: str = "op", reason: str = REASON) -> Word:
    async with office.world.database.begin() as session:
        return await say_gone(session, centre, person=person, reason=reason, now=office.world.clock.now())


async def say_and_give_up(office: Office) -> list[Fate | None]:
    """As the operator's verb does it."""
    world, word, fates = office.world, await say(office), []
    async with world.database.begin() as session:
        jobs = await store_given_up.stranded(session, EAST, 100, after=None)
    for job in jobs:
        async with world.database.begin() as session:
            now = world.clock.now()
            fates.append(await give_up(session, word, job, market=await read_market(session, now), now=now))
    return fates


async def untold(office: Office) -> JobId:
    """A job whose submission was never answered."""
    job = await office.accepted()
    await office.world.book.intend(office.lease, limit=100)
    return job


async def remains(office: Office) -> dict[JobId, Remains]:
    return {one.job: one.remains for one in await office.world.book.remains(office.lease)}


async def end_in_the_west(office: Office, job: JobId) -> None:
    world, tag = office.world, submit_tag(job, 1)
    west = await world.leases("west", timedelta(days=1)).claim(WEST)
    await world.book.intend(west, limit=100)
    await world.book.submitted(west, {job: NativeId("3")}, postponed={})
    done = record(job, "3", tag=tag, name=f"pc-{tag}", account=UnixAccount("west0"), ended_at=world.clock.now())
    await world.book.settle(west, [done], alive=[], read_until=None)
    assert await world.state(job) == "completed"


async def notices(office: Office, kind: str) -> list[tuple[str, str, int]]:
    async with office.world.database.begin() as session:
        query = text("SELECT text_en, text_zh, amount_micro FROM notices WHERE kind = :kind ORDER BY id")
        return [tuple(row) for row in await session.execute(query, {"kind": kind})]
