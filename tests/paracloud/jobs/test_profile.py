"""A profile is read at its centre as it grows: each look gets what is new, once, and reads no more than that."""

from pathlib import Path

import pytest
from tests.paracloud.jobs.profiled import Follower, Read, as_it_is, spool, ticks

from paracloud.jobs.profile import read_profile
from paracloud.kit.errors import Invalid, NotFound
from paracloud.transports.local import LocalTransport
from paramon.sample.fields import COUNT

__all__ = ["spool"]


async def test_each_tick_is_told_once_within_the_open_minute_and_over_its_end(spool, tmp_path):
    follower = Follower(tmp_path)
    ticks(spool, range(3))
    (node,) = await follower.look()
    assert (node.header["node"], [one.name for one in node.processes]) == ("n1", ["a.out"])
    assert [minute.at_ms for minute in node.minutes] == [[0, 1000, 2000]]
    ticks(spool, range(3, 5))
    assert await follower.seconds() == [3, 4]
    assert await follower.seconds() == []
    ticks(spool, [5])
    spool.end_chunk()
    ticks(spool, [6])
    assert await follower.seconds() == [5, 6]
    spool.close({"exit_code": 3})
    (node,) = await follower.look()
    assert (node.header, node.end["exit_code"], node.minutes) == (None, 3, [])
    assert await Follower(tmp_path).seconds() == list(range(7))


async def test_what_held_before_is_told_with_the_first_tick(spool, tmp_path):
    follower = Follower(tmp_path)
    ticks(spool, range(3))
    await follower.look()
    ticks(spool, range(3, 6))
    ((minute,),) = [node.minutes for node in await follower.look()]
    assert minute.rows[1] == [(0, (2,) * COUNT), (1, (3,) * COUNT)]
    assert minute.points["cpu.user_ticks"] == [(0, 3), (1, 4), (2, 5)]


async def test_a_look_costs_no_more_the_longer_the_job_runs(spool, tmp_path):
    follower, costs = Follower(tmp_path), []
    for minute in range(20):
        ticks(spool, range(minute * 60, minute * 60 + 60))
        spool.end_chunk()
        before = follower.transport.given
        assert len(await follower.seconds()) == 60
        costs.append(follower.transport.given - before)
    assert max(costs[10:]) <= max(costs[:5])


async def test_no_tick_is_missed_where_a_minute_ends_while_it_is_read(spool, tmp_path):
    class Slow(Read):
        """Between any two reads a minute ends, and the next one begins."""

        async def read(self, path, **of):
            found = await super().read(path, **of)
            spool.end_chunk()
            ticks(spool, [next(numbers)])
            return found

    numbers = iter(range(3, 100))
    ticks(spool, range(3))
    follower = Follower(tmp_path)
    follower.transport = Slow(tmp_path)
    seen = [at for _ in range(5) for at in await follower.seconds()]
    assert seen == list(range(len(seen)))
    assert len(seen) > 10


async def test_a_file_that_was_taken_away_and_begun_again_is_read_from_its_beginning(spool, tmp_path):
    follower = Follower(tmp_path)
    ticks(spool, range(60))
    spool.end_chunk()
    assert await follower.seconds() == list(range(60))
    Path(spool.path).unlink()
    ticks(spool, range(60, 62))
    spool.end_chunk()
    assert await follower.seconds() == [60, 61]


async def test_where_there_is_none_it_says_why(tmp_path):
    with pytest.raises(NotFound):
        await read_profile(LocalTransport(tmp_path), "profile", "", as_it_is)


@pytest.mark.parametrize("cursor", ["x", "e30x", "bnVsbA", "WzFd", "eyJhIjpbLTEsMF19", "eyJhIjpbMSwyLDNdfQ", "%00"])
async def test_a_cursor_that_is_none_is_refused(spool, tmp_path, cursor):
    with pytest.raises(Invalid):
        await read_profile(LocalTransport(tmp_path), "profile", cursor, as_it_is)


async def test_a_cursor_that_was_changed_is_refused(spool, tmp_path):
    ticks(spool, range(3))
    follower = Follower(tmp_path)
    await follower.look()
    changed = follower.cursor[:-2] + ("A" if follower.cursor[-2] != "A" else "B") + follower.cursor[-1]
    with pytest.raises(Invalid):
        await read_profile(follower.transport, "profile", changed, as_it_is)
