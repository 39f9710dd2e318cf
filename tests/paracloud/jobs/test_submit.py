"""Whoever submits: what is accepted, what is refused and why, and whose jobs are seen."""

from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.jobs.world import EAST, SCRIPT, START, WEST, open_world, person, queue, record

from paracloud.billing.top_up import top_up
from paracloud.data.blobs import Blob
from paracloud.data.keep import keep
from paracloud.identity.caller import Role
from paracloud.jobs.build import build
from paracloud.jobs.market import MarketReader, read_market
from paracloud.jobs.quote import quote
from paracloud.jobs.show import list_jobs, show
from paracloud.jobs.spec import InputFile
from paracloud.jobs.state import JobState
from paracloud.jobs.wish import cancel, hold, release
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Forbidden, Invalid, NotEnoughFunds, NotFound
from paracloud.kit.identifiers import BlobId, JobId, NativeId
from paracloud.kit.money import MICRO, Money

FULL = 1000 * MICRO


async def test_too_little_money_is_refused_with_what_is_missing_and_changes_nothing(database: Database) -> None:
    world = await open_world(database, funds="1")
    with pytest.raises(NotEnoughFunds) as caught:
        await world.submit(ntasks="4")
    assert caught.value.missing_micro == 440_000
    assert await world.one("SELECT count(*) FROM jobs") == 0
    assert await world.wallet() == MICRO
    assert await world.held() == 0


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"partition": "nonsense"}, "cpu"),
        ({"ntasks": "17"}, "16"),
        ({"time": "2-00:00:00"}, "1-00:00:00"),
        ({"gres": "gpu:1"}, "GPU"),
        ({"centre": "north"}, "north"),
    ],
)
async def test_what_no_partition_can_run_is_refused_with_the_reason(database: Database, options, told) -> None:
    world = await open_world(database)
    with pytest.raises(Invalid) as caught:
        await world.submit(**options)
    assert told in caught.value.en
    assert await world.one("SELECT count(*) FROM jobs") == 0


async def test_a_foreign_project_is_not_found_and_a_viewer_may_not_submit(database: Database) -> None:
    world = await open_world(database)
    async with database.begin() as session:
        _, stranger = await person(session, "wang")
        other, _ = await person(session, "chen")
        viewer = await person(session, "zhao", Role.VIEWER)
    with pytest.raises(NotFound):
        await world.submit(caller=stranger)
    world.project = viewer[0]
    with pytest.raises(Forbidden):
        await world.submit(caller=viewer[1])
    assert other


async def test_a_job_of_another_project_looks_like_none(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit()
    async with database.begin() as session:
        _, stranger = await person(session, "wang")
        assert await list_jobs(session, stranger) == []
        for attempt in (
            show(session, stranger, accepted.job),
            cancel(session, stranger, accepted.job, now=START),
            hold(session, stranger, accepted.job, now=START),
            release(session, stranger, accepted.job, now=START),
            show(session, stranger, JobId(uuid4())),
        ):
            with pytest.raises(NotFound):
                await attempt
    assert await world.state(accepted.job) == "accepted"


async def test_a_viewer_sees_a_job_and_cannot_cancel_it(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit()
    async with database.begin() as session:
        _, viewer = await person(session, "zhao", Role.VIEWER)
        seeing = type(viewer)(
            viewer.user, viewer.token, viewer.login, False, viewer.scopes, {world.project: Role.VIEWER}
        )
        assert (await show(session, seeing, accepted.job)).summary.job == accepted.job
        with pytest.raises(Forbidden):
            await cancel(session, seeing, accepted.job, now=START)


async def test_a_job_cancelled_before_submission_ends_at_once_and_its_hold_returns(database: Database) -> None:
    world = await open_world(database)
    accepted = await world.submit()
    async with database.begin() as session:
        assert await cancel(session, world.caller, accepted.job, now=START) is JobState.CANCELLED
    async with database.begin() as session:
        assert await cancel(session, world.caller, accepted.job, now=START) is JobState.CANCELLED
    assert await world.wallet() == FULL
    assert await world.held() == 0
    async with database.begin() as session:
        with pytest.raises(Conflict):
            await hold(session, world.caller, accepted.job, now=START)


async def test_pages_follow_each_other_without_gap_or_repetition(database: Database) -> None:
    world = await open_world(database)
    jobs = [(await world.submit()).job for _ in range(5)]
    seen: list[JobId] = []
    before = None
    async with database.begin() as session:
        while page := await list_jobs(session, world.caller, before=before, limit=2):
            seen += [one.job for one in page]
            before = seen[-1]
    assert seen == jobs[::-1]


async def test_an_input_must_have_been_uploaded_to_this_project(database: Database) -> None:
    world = await open_world(database)
    blob = Blob(BlobId("b" * 64), 5)
    async with database.begin() as session:
        other, stranger = await person(session, "wang")
        await keep(session, stranger, other, blob, START)
    with pytest.raises(Invalid, match="not uploaded"):
        await world.submit(inputs=[InputFile("in.melt", blob.id, 5)])
    async with database.begin() as session:
        await keep(session, world.caller, world.project, blob, START)
    with pytest.raises(Invalid, match="5 bytes"):
        await world.submit(inputs=[InputFile("in.melt", blob.id, 6)])
    assert (await world.submit(inputs=[InputFile("in.melt", blob.id, 5)])).job


async def test_a_dependency_keeps_the_job_at_the_same_centre(database: Database) -> None:
    world = await open_world(database)
    first = await world.submit(centre=WEST)
    second = await world.submit(dependency=f"afterok:{first.job}")
    assert second.centre == WEST
    with pytest.raises(Invalid, match="depend"):
        await world.submit(dependency=f"afterok:{uuid4()}")
    async with database.begin() as session:
        other, stranger = await person(session, "wang")
        await top_up(session, other, Money(FULL), key="second", person="operator", now=START)
    mine, world.project = world.project, other
    foreign = await world.submit(caller=stranger)
    world.project = mine
    with pytest.raises(Invalid, match="does not exist"):
        await world.submit(dependency=f"afterok:{foreign.job}")
    third = await world.submit(centre=EAST)
    with pytest.raises(Invalid, match="different centres"):
        await world.submit(dependency=f"afterok:{first.job}:{third.job}")


async def test_a_quote_shows_every_offer_and_takes_nothing(database: Database) -> None:
    world = await open_world(database)
    spec = build(SCRIPT, {"ntasks": "4"}, centre="east").spec
    async with database.begin() as session:
        found = await quote(session, world.caller, world.project, spec, market=await read_market(session, START))
    assert [offer.place for offer in found.choice.fitting] == ["east/cpu"]
    assert [one.centre for one in found.choice.rejected] == [WEST]
    assert found.choice.fitting[0].most.micro == 1_440_000
    assert await world.wallet() == FULL


async def test_when_a_centre_has_no_account_left_the_next_one_takes_the_job(
    database: Database, owned: Database
) -> None:
    world = await open_world(database)
    async with owned.begin() as session:
        await session.execute(text("DELETE FROM centre_accounts WHERE centre = 'east'"))
    assert (await world.submit()).centre == WEST
    with pytest.raises(Conflict, match="east"):
        await world.submit(centre=EAST)


async def test_the_market_is_read_again_only_after_a_while(database: Database) -> None:
    world = await open_world(database)
    reader = MarketReader(database, world.clock)
    first = await reader.now()
    assert await reader.now() is first
    world.clock.forward(timedelta(seconds=3))
    assert await reader.now() is not first


async def test_every_move_is_on_record_each_from_where_the_last_one_led(database: Database) -> None:
    world = await open_world(database)
    job = (await world.submit()).job
    lease = await world.claim()
    await world.book.intend(lease, limit=5)
    await world.book.submitted(lease, {job: NativeId("7")}, postponed={})
    await world.book.settle(lease, [record(job, "7")], alive=[], read_until=None)
    async with database.begin() as session:
        events = (await show(session, world.caller, job)).events
    assert [event.to_state for event in events] == ["accepted", "submitting", "queued", "completed"]
    assert [event.from_state for event in events[1:]] == [event.to_state for event in events[:-1]]


async def test_the_record_of_moves_can_neither_change_nor_vanish(database: Database, owned: Database) -> None:
    world = await open_world(database)
    await world.submit()
    for statement in ("UPDATE job_events SET note = 'x'", "DELETE FROM job_events", "TRUNCATE job_events"):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owned.begin() as session:
                await session.execute(text(statement))


async def test_a_queue_that_is_down_takes_no_job(database: Database, owned: Database) -> None:
    world = await open_world(database)
    async with owned.begin() as session:
        await session.execute(text("UPDATE queues SET is_up = false"))
    with pytest.raises(Invalid, match="down"):
        await world.submit()
    assert queue().is_up
