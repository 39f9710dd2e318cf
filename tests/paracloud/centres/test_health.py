"""When a centre is sick and when it is well again: on values, and as its operator hears of it."""

from collections.abc import Iterable
from datetime import timedelta

import pytest
from tests.paracloud.jobs.world import EAST, START, World, open_world

from paracloud.billing.pick import Customer
from paracloud.centres.centre import Health
from paracloud.centres.health import SICK_AFTER, WELL_AFTER, after_round, well_after
from paracloud.centres.registry import healths
from paracloud.jobs.build import build
from paracloud.jobs.market import read_market
from paracloud.jobs.outpost import Outpost
from paracloud.jobs.quote import weigh
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import UnixAccount
from paracloud.worker.report import Reporter

LOST = Unreachable("The line is cut.", "线路中断。")
SECOND = timedelta(seconds=1)
MINUTE = timedelta(minutes=1)


def play(rounds: Iterable[tuple[timedelta, bool]], before: Health | None = None) -> Health | None:
    """Rounds by their time since START: whether each was good."""
    for at, is_good in rounds:
        before = after_round(before, None if is_good else LOST, now=START + at)
    return before


def every(step: timedelta, start: timedelta, end: timedelta, *, good: bool) -> list[tuple[timedelta, bool]]:
    return [(start + step * number, good) for number in range((end - start) // step + 1)]


def test_one_lost_line_makes_no_centre_sick() -> None:
    found = play([(timedelta(0), False), *every(10 * SECOND, 10 * SECOND, MINUTE, good=True)])
    assert found.sick_since is None


def test_a_centre_that_fails_for_long_is_sick_and_a_long_gap_with_two_failures_is_not() -> None:
    assert play(every(30 * SECOND, timedelta(0), SICK_AFTER - SECOND, good=False)).sick_since is None
    assert play(every(30 * SECOND, timedelta(0), SICK_AFTER, good=False)).sick_since == START + SICK_AFTER
    assert play([(timedelta(0), False), (SICK_AFTER * 2, False)]).sick_since is None


def test_a_sick_centre_is_well_only_after_good_rounds_for_a_while() -> None:
    sick = play(every(30 * SECOND, timedelta(0), SICK_AFTER, good=False))
    soon = play(every(5 * SECOND, SICK_AFTER + SECOND, SICK_AFTER + WELL_AFTER, good=True), sick)
    assert (soon.sick_since, soon.failures > 0) == (sick.sick_since, True)
    few = play([(SICK_AFTER + SECOND, True), (SICK_AFTER + SECOND + WELL_AFTER, True)], sick)
    assert few.sick_since == sick.sick_since
    well = play(every(5 * SECOND, SICK_AFTER + SECOND, SICK_AFTER + SECOND + WELL_AFTER, good=True), sick)
    assert (well.sick_since, well.failures, well.failing_since, well.error_en) == (None, 0, None, None)


def test_a_centre_that_flaps_falls_sick_and_stays_so() -> None:
    rounds = [(30 * SECOND * number, number % 3 == 0) for number in range(1, 41)]
    found = play(rounds)
    assert found.sick_since is not None
    assert found.good_rounds < 3


def test_whoever_falls_sick_again_soon_must_be_well_for_longer() -> None:
    health, at = None, timedelta(0)
    waits = []
    for _ in range(8):
        health = play(every(30 * SECOND, at, at + SICK_AFTER, good=False), health)
        at += SICK_AFTER
        waits.append(well_after(health))
        health = play(every(30 * SECOND, at + 30 * SECOND, at + 30 * SECOND + waits[-1], good=True), health)
        at += waits[-1] + MINUTE
        assert health.sick_since is None
    assert waits[:3] == [WELL_AFTER, WELL_AFTER * 2, WELL_AFTER * 4]
    assert waits[-1] == timedelta(minutes=30)
    at += timedelta(hours=2)
    later = play(every(30 * SECOND, at, at + SICK_AFTER, good=False), health)
    assert well_after(later) == WELL_AFTER


@pytest.fixture
def opened(database):
    return lambda: open_world(database)


def outpost(world: World) -> Outpost:
    return Outpost(EAST, UnixAccount("watcher"), timedelta(minutes=10), None, None, None, world.clock)


async def test_the_operator_hears_of_both_edges_once_and_quotes_say_since_when(opened) -> None:
    world = await opened()
    post, reporter = outpost(world), Reporter(world.database)
    for _ in range(12):
        await reporter.health(post, LOST)
        world.clock.forward(30 * SECOND)
    market = await _reasons(world)
    assert "has not answered since 2026-06-01 08:00 UTC" in market[EAST]
    await reporter.health(post, None)
    assert "answers again since" in (await _reasons(world))[EAST]
    for _ in range(12):
        world.clock.forward(30 * SECOND)
        await reporter.health(post, None)
    assert EAST not in await _reasons(world)
    query = "SELECT string_agg(kind, ' ' ORDER BY id) FROM notices WHERE reference = 'east'"
    assert await world.one(query) == "centre-sick centre-well"
    async with world.database.begin() as session:
        assert (await healths(session))[EAST].failures == 0


async def _reasons(world: World) -> dict[str, str]:
    async with world.database.begin() as session:
        market = await read_market(session, world.clock.now())
    spec = build("#!/bin/sh\n#SBATCH --time=60\ntrue\n").spec
    found = weigh(spec, market, Customer(world.project, None), None, user=world.caller.user)
    return {one.centre: one.en for one in found.choice.rejected}
