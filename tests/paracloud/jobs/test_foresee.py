"""What a process expects of jobs, from what it saw of others: in the real database, by the worker's own book."""

import json
from dataclasses import replace
from datetime import timedelta

from sqlalchemy import text
from tests.paracloud.jobs.flight import SECOND, Flight, flight
from tests.paracloud.jobs.world import EAST, SCRIPT, WEST, record

from paracloud.jobs.build import build
from paracloud.jobs.foresee import FRESH_FOR, Foresight
from paracloud.jobs.market import customer_of, read_market
from paracloud.jobs.offers import offers
from paracloud.kit.identifiers import CentreName
from paracloud.placement.prediction import Prediction

HOUR = timedelta(hours=1)


async def expected(
    foresight: Foresight, sky: Flight, centre: CentreName = EAST, *, script: str = SCRIPT, **options
) -> Prediction:
    spec, world = build(script, {"time": "60", **options}).spec, sky.world
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now())
        customer = await customer_of(session, world.project, market)
        await foresight.refresh(session)
    offer = next(one for one in offers(market, spec, customer) if one.centre == centre)
    return foresight.predict(world.project, world.caller.user, spec, offer)


async def ran(sky: Flight, native_id: str, *, waited: int, seconds: int, **options) -> None:
    """One that came now, started after `waited` seconds and ended well `seconds` after that."""
    start = sky.start = sky.world.clock.now() + waited * SECOND
    job = await sky.running(native_id, **options)
    ended = start + seconds * SECOND
    one = record(job, native_id, started_at=start, ended_at=ended, elapsed_seconds=seconds)
    await sky.world.book.settle(sky.lease, [one], alive=[], read_until=None)
    sky.world.clock.forward(ended - sky.world.clock.now())


async def test_of_whom_nothing_is_known_is_believed_and_starts_at_once_where_there_is_room(database):
    sky = await flight(database, "1000")
    found = await expected(Foresight(sky.world.clock), sky)
    assert (found.run.p50, found.run.p90, found.model) == (HOUR, HOUR, "plain")
    assert found.wait.p50 <= timedelta(minutes=1) < found.wait.p90


async def test_who_always_ran_so_long_is_expected_to_again_by_a_process_that_saw_it_and_by_a_new_one(database):
    sky = await flight(database, "1000")
    watching = Foresight(sky.world.clock)
    await expected(watching, sky)
    for number in range(4):
        await ran(sky, str(number), waited=20, seconds=600)
    for foresight in (watching, Foresight(sky.world.clock)):
        found = await expected(foresight, sky)
        assert found.run.p50 == timedelta(minutes=10) <= found.run.p90 <= HOUR
        assert (
            await expected(foresight, sky, script="#!/bin/sh\nother\n", **{"job-name": "else"})
        ).run.p50 == found.run.p50


async def test_a_wait_is_expected_where_others_waited_and_not_at_another_centre(database):
    sky = await flight(database, "1000")
    for number in range(6):
        await ran(sky, str(number), waited=1800, seconds=60)
    foresight, full = Foresight(sky.world.clock), {"ntasks": "17"}
    east, west = await expected(foresight, sky, **full), await expected(foresight, sky, WEST)
    assert east.wait.p50 == timedelta(minutes=30) <= east.wait.p90
    assert west.wait.p50 <= timedelta(minutes=1)


async def test_one_that_waits_for_long_already_makes_no_later_one_look_quick(database):
    sky = await flight(database, "1000")
    await sky.queued("9")
    sky.world.clock.forward(5 * HOUR)
    assert (await expected(Foresight(sky.world.clock), sky)).wait.p90 >= 5 * HOUR


async def test_what_is_held_by_its_user_teaches_nothing_of_the_queue(database):
    sky = await flight(database, "1000")
    await sky.queued("9", hold="true")
    sky.world.clock.forward(5 * HOUR)
    assert (await expected(Foresight(sky.world.clock), sky)).wait.p90 < HOUR


async def test_how_long_its_user_held_a_job_is_no_wait_of_the_queue(database):
    sky = await flight(database, "1000")
    for number in range(6):
        await ran(sky, str(number), waited=7200, seconds=60, hold="true")
    full = await expected(Foresight(sky.world.clock), sky, ntasks="17")
    assert full.wait.p50 == HOUR, "as where nothing is known"


async def test_what_was_read_just_now_is_not_read_again_and_a_little_later_it_is(database):
    sky = await flight(database, "1000")
    foresight = Foresight(sky.world.clock)
    before = await expected(foresight, sky)
    await sky.queued("9", ntasks="16")
    sky.world.clock.forward(FRESH_FOR / 2)
    assert await expected(foresight, sky) == before
    sky.world.clock.forward(FRESH_FOR)
    assert (await expected(foresight, sky)).wait.p50 > before.wait.p50, "another will take all that is free"


async def test_a_job_that_shares_nodes_needs_none_that_is_idle(database):
    sky = await flight(database, "1000")
    foresight, world = Foresight(sky.world.clock), sky.world
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now())
        customer = await customer_of(session, world.project, market)
        await foresight.refresh(session)
    found = {}
    for options in ({}, {"nodes": "1"}, {"exclusive": ""}):
        spec = build(SCRIPT, {"time": "60", **options}).spec
        busy = [replace(one, free_nodes=0) for one in offers(market, spec, customer) if one.centre == EAST]
        found[tuple(options)] = foresight.predict(world.project, world.caller.user, spec, busy[0]).wait.p50
    assert found[()] <= timedelta(minutes=1), "no node is idle, and there are cores free all the same"
    assert found["nodes",] == found["exclusive",] == HOUR


async def test_the_way_of_a_jobs_files_is_no_wait_of_the_queue(database, owned):
    sky = await flight(database, "1000")
    for number in range(6):
        await ran(sky, str(number), waited=1800, seconds=60)
    files = {"inputs": [["in", "a" * 64, 1, False]]}
    async with owned.begin() as session:
        change = "UPDATE jobs SET spec = spec || CAST(:files AS jsonb), submitted_at = started_at - interval '1 minute'"
        await session.execute(text(change), {"files": json.dumps(files)})
    full = await expected(Foresight(sky.world.clock), sky, ntasks="17")
    assert full.wait.p50 == timedelta(minutes=1), "half an hour before the centre got them"
