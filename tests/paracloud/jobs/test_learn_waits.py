"""From jobs that waited to a model that predicts: trained by the real trainer in its own process, kept and taken up."""

from datetime import timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import ProgrammingError
from tests.paracloud.jobs.flight import Flight, flight
from tests.paracloud.jobs.test_foresee import expected
from tests.paracloud.jobs.world import EAST, SCRIPT, START

from paracloud.jobs import learn_waits as learning
from paracloud.jobs import store_waits
from paracloud.jobs.build import build
from paracloud.jobs.foresee import Foresight
from paracloud.jobs.learn_waits import learn_waits
from paracloud.jobs.market import customer_of, read_market
from paracloud.jobs.offers import offers
from paracloud.jobs.submit import submit
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import JobId, new_uuid
from paracloud.placement.trees import Forest
from paracloud.placement.wait_model import FORMAT, LEAST_JOBS, write_model
from paracloud.placement.waits import Features

COPY = """
    INSERT INTO jobs
    SELECT (jsonb_populate_record(job, jsonb_build_object(
               'id', gen_random_uuid(), 'cores', CAST(:cores AS bigint), 'accepted_at', at,
               'started_at', at + CAST(:waited AS bigint) * interval '1 second'))).*
      FROM jobs AS job,
           generate_series(job.accepted_at, job.accepted_at + CAST(:count AS bigint) * interval '10 minutes',
                           interval '10 minutes') AS at
     WHERE job.id = :job
    RETURNING id, accepted_at
"""
DAYS = timedelta(days=9)


async def kept(sky: Flight, job: JobId, script: str = SCRIPT) -> Features:
    """As the edge keeps it that places a job."""
    world, spec, foresight = sky.world, build(script).spec, Foresight(sky.world.clock)
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now())
        customer = await customer_of(session, world.project, market)
        offer = next(one for one in offers(market, spec, customer) if one.centre == EAST)
        await foresight.refresh(session)
        await foresight.keep(session, job, world.project, spec, offer, user=world.caller.user)
    return foresight.features(world.project, world.caller.user, spec, offer)


async def history(sky: Flight, *, count: int = LEAST_JOBS) -> None:
    """Jobs of one core that waited a minute, and as many of eight that waited an hour, though there was room."""
    job = await sky.running("1")
    known = await kept(sky, job)
    async with sky.world.database.begin() as session:
        for cores, waited in ((1, 60), (8, 3600)):
            values = {"job": job, "cores": cores, "waited": waited, "count": count // 2 + 1}
            for copy, at in (await session.execute(text(COPY), values)).all():
                await store_waits.add_features(session, copy, at, known._replace(cores=cores)._asdict())
    sky.world.clock.forward(DAYS)


async def models(sky: Flight) -> list[tuple[bool, int]]:
    async with sky.world.database.begin() as session:
        return [(one.is_used, one.jobs) for one in await store_waits.models(session, 10)]


@pytest.fixture
async def sky(database) -> Flight:
    return await flight(database, "1000")


async def test_a_model_that_beats_the_plain_rule_predicts_in_every_process_as_soon_as_it_looks(sky: Flight):
    await history(sky)
    foresight, large = Foresight(sky.world.clock), {"ntasks": "8"}
    before = await expected(foresight, sky, **large)
    assert await learn_waits(sky.world.database, sky.world.clock) is True
    sky.world.clock.forward(timedelta(minutes=1))
    for one in (foresight, Foresight(sky.world.clock)):
        found = await expected(one, sky, **large)
        assert found.wait.p50 > timedelta(minutes=20) > before.wait.p50
        assert (await expected(one, sky)).wait.p50 < timedelta(minutes=3)
        assert (before.model, found.model) == ("plain", f"trees {START + DAYS:%Y-%m-%dT%H:%M}")


async def test_one_worker_trains_a_day_and_the_next_day_again(sky: Flight):
    await history(sky)
    assert await learn_waits(sky.world.database, sky.world.clock) is True
    assert await learn_waits(sky.world.database, sky.world.clock) is None
    sky.world.clock.forward(timedelta(days=1))
    assert await learn_waits(sky.world.database, sky.world.clock) is True
    assert len(await models(sky)) == 2


async def test_where_few_have_waited_nothing_is_trained_and_the_day_is_left_to_a_later_look(sky: Flight):
    await history(sky, count=LEAST_JOBS // 2)
    assert await learn_waits(sky.world.database, sky.world.clock) is None
    assert await models(sky) == []
    await history(sky)
    assert await learn_waits(sky.world.database, sky.world.clock) is True


async def test_a_newer_model_that_was_no_better_and_one_that_nobody_can_read_leave_the_plain_rule(sky: Flight):
    model = {"jobs": 1, "hours": 1, "judged": 1, "loss": 2, "plain_loss": 1, "held": 1, "plain_held": 1}
    readable = write_model(Forest((2.0,)), Forest((3.0,)))
    for is_used, said in ((True, "no model"), (False, readable)):
        values = model | {"id": new_uuid(), "trained_at": sky.world.clock.now(), "is_used": is_used}
        async with sky.world.database.begin() as session:
            await store_waits.add_model(session, values | {"format": "waits-1", "model": said})
        assert (await expected(Foresight(sky.world.clock), sky)).model == "plain"
        sky.world.clock.forward(timedelta(days=1))


@pytest.mark.parametrize("seen", ["", "(id, trained_at, is_used, format)"], ids=["nothing", "all but the model"])
async def test_a_model_that_could_not_be_read_is_read_by_who_asks_next(sky: Flight, owned, seen: str):
    foresight = Foresight(sky.world.clock)
    assert (await expected(foresight, sky)).model == "plain"
    scores = {"jobs": 1, "hours": 1, "judged": 1, "loss": 1, "plain_loss": 2, "held": 1, "plain_held": 1}
    values = scores | {"id": new_uuid(), "trained_at": sky.world.clock.now(), "is_used": True, "format": FORMAT}
    async with sky.world.database.begin() as session:
        await store_waits.add_model(session, values | {"model": write_model(Forest((2.0,)), Forest((3.0,)))})
    role = await sky.world.one("SELECT current_user")
    sky.world.clock.forward(timedelta(minutes=1))
    async with owned.begin() as session:
        await session.execute(text(f"REVOKE SELECT ON wait_models FROM {role}"))  # noqa: S608  # ours
        if seen:
            await session.execute(text(f"GRANT SELECT {seen} ON wait_models TO {role}"))
    with pytest.raises(ProgrammingError, match="permission denied"):
        await expected(foresight, sky)
    async with owned.begin() as session:
        await session.execute(text(f"GRANT SELECT ON wait_models TO {role}"))
    assert (await expected(foresight, sky)).model.startswith("trees ")


async def test_jobs_that_were_held_or_never_started_or_known_otherwise_teach_nothing(sky: Flight):
    await sky.world.submit(centre=EAST)
    for options in ({}, {"hold": "true"}):
        await kept(sky, await sky.queued(options.get("hold", "7"), **options))
    other = await sky.running("9")
    async with sky.world.database.begin() as session:
        await store_waits.add_features(session, other, START, {"something": 1})
        assert await learning._waited(session, START) == []


async def test_a_trainer_that_fails_is_told_with_its_last_words(sky: Flight, monkeypatch):
    await history(sky)
    monkeypatch.setenv("PYTHONHOME", "/nowhere")
    with pytest.raises(Broken) as caught:
        await learn_waits(sky.world.database, sky.world.clock)
    assert b"nowhere" in caught.value.evidence
    assert await models(sky) == []


@pytest.mark.parametrize("table", ["wait_features", "wait_models", "wait_trainings"])
async def test_what_models_are_made_from_and_the_models_are_never_changed(sky: Flight, table: str):
    with pytest.raises(ProgrammingError, match="permission denied"):
        await sky.world.one(f"DELETE FROM {table} RETURNING 1")  # noqa: S608  # names of ours


async def test_what_is_known_of_a_job_is_kept_by_the_transaction_that_places_it(sky: Flight):
    world, foresight = sky.world, Foresight(sky.world.clock)
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now(), foresight)
        spec = build(SCRIPT, {"ntasks": "2"}).spec
        placed = await submit(session, world.caller, world.project, spec, market=market, now=world.clock.now())
    found = await world.one("SELECT features FROM wait_features WHERE job_id = :job", job=placed.job)
    assert found.keys() == set(Features._fields)
    assert (found["cores"], found["queue_cores"]) == (2, 16)
