"""Of a profile no look reads, takes apart or holds more than it may, whatever is written there."""

import asyncio
import zlib
from pathlib import Path
from threading import Event

import pytest
from tests.paracloud.jobs.profiled import Follower, spool, ticks
from tests.paramon.made import begun

from paracloud.jobs.profile import LOOK_BYTES, News, read_profile
from paracloud.jobs.profile_parts import MINUTE_BYTES, PARSED_BYTES, PIECE_BYTES, VALUES_MOST
from paracloud.transports.local import LocalTransport
from paramon.sample.fields import COUNT
from paramon.sample.frames import CHUNK, HEAD, TICK, frame
from paramon.sample.profile import LIVE
from paramon.sample.varint import put, put_bytes
from paramon.spool import Spool

__all__ = ["spool"]


async def test_what_a_hostile_centre_gives_for_a_profile_is_left_out_and_counted(spool, tmp_path):
    ticks(spool, range(3))
    spool.end_chunk()
    path = Path(spool.path)
    whole = path.read_bytes()
    path.write_bytes(whole[:200] + b"\xff" * 50 + whole[250:] + whole)
    (node,) = await Follower(tmp_path).look()
    assert node.lost_bytes > 0
    (tmp_path / "profile" / "zz.paramon").write_bytes(b"PMN\xf0" * 1000)
    _, second = await Follower(tmp_path).look()
    assert second.minutes == []
    assert not second.is_behind
    assert PIECE_BYTES > 1 << 20


async def test_a_minute_that_would_fill_the_memory_is_left_out_and_counted(spool, tmp_path):
    bomb = frame(CHUNK, zlib.compress(bytes(MINUTE_BYTES + 1)))
    with Path(spool.path).open("ab") as file:
        file.write(bomb)
    ticks(spool, range(3))
    spool.end_chunk()
    (node,) = await Follower(tmp_path).look()
    assert node.lost_bytes == len(bomb) - HEAD.size
    assert [minute.at_ms for minute in node.minutes] == [[0, 1000, 2000]]


async def test_a_look_takes_apart_only_so_much_and_the_next_goes_on(spool, tmp_path):
    for minute in range(3):
        spool.chunk.tick(minute * 1000)
        spool.chunk.point("x" * (PARSED_BYTES * 4 // 9), 1)
        spool.end_chunk()
    follower, found = Follower(tmp_path), []
    while not found or found[-1].is_behind:
        found += await follower.look()
    assert [[minute.at_ms for minute in one.minutes] for one in found] == [[[0], [1000]], [[2000]]]
    assert [one.lost_bytes for one in found] == [0, 0]


BUSY = 500
MINUTE = [number * 1000 for number in range(60)]


def busy_minute(spool: Spool) -> None:
    """All fields of all processes change at each look."""
    for at in MINUTE:
        spool.chunk.tick(at)
        for process in range(BUSY):
            spool.chunk.row(process, tuple(at * (field + 1) + process + 1 for field in range(COUNT)))
        spool.end_tick()


@pytest.mark.parametrize("is_over", [True, False])
async def test_a_minute_of_many_busy_processes_is_read_over_some_looks_and_none_holds_more_than_it_may(
    spool, tmp_path, is_over
):
    busy_minute(spool)
    if is_over:
        spool.end_chunk()
    follower, seen = Follower(tmp_path), []
    for _ in range(10):
        (node,) = await follower.look()
        assert sum(len(rows) for minute in node.minutes for rows in minute.rows.values()) * COUNT <= VALUES_MOST
        for minute in node.minutes:
            assert list(minute.rows) == list(range(BUSY))
            assert {tuple(at for at, _ in rows) for rows in minute.rows.values()} == {tuple(range(len(minute.at_ms)))}
            assert minute.rows[7][-1][1][2] == minute.at_ms[-1] * 3 + 8
            seen += minute.at_ms
        if not node.is_behind:
            break
    assert seen == MINUTE
    assert node.lost_bytes == 0


async def test_of_busy_nodes_the_next_look_begins_with_that_for_which_this_had_no_room(tmp_path):
    for name in ("n1", "n2"):
        one = begun(tmp_path / "profile", name, {"node": name})
        for _ in range(2):
            busy_minute(one)
            one.end_chunk()
    follower = Follower(tmp_path)
    for name in ("n1", "n2", "n1"):
        assert [node.file for node in await follower.look() if node.minutes] == [f"{name}.paramon"]


def made_up(processes: int, ticks: int, row: bytes) -> bytes:
    """A minute of rows of a few bytes each."""
    out = bytearray()
    for number in (0, ticks, *[1] * (ticks - 1), processes):
        put(out, number)
    for process in range(processes):
        put(out, process)
        put_bytes(out, row * ticks)
    put(out, 0)
    return bytes(out)


async def test_rows_without_a_field_are_none(spool, tmp_path):
    payload = zlib.compress(made_up(2, 1000, b"\x01\x00"))
    with Path(spool.path).open("ab") as file:
        file.write(frame(CHUNK, payload))
    (node,) = await Follower(tmp_path).look()
    assert (node.lost_bytes, node.minutes) == (len(payload), [])


async def test_of_a_minute_made_up_of_very_many_rows_each_look_holds_no_more_than_it_may(spool, tmp_path):
    with Path(spool.path).open("ab") as file:
        file.write(frame(CHUNK, zlib.compress(made_up(400, 2000, b"\x01\x01\x02"))))
    follower, seen = Follower(tmp_path), []
    for _ in range(3):
        (node,) = await follower.look()
        assert node.is_behind
        (minute,) = node.minutes
        assert sum(map(len, minute.rows.values())) * COUNT <= VALUES_MOST
        assert minute.rows[399][-1][1][0] == minute.at_ms[-1] + 1
        seen += minute.at_ms
    assert seen == list(range(len(seen)))


async def test_a_moment_that_no_look_has_room_for_is_left_out_and_the_next_minute_is_read(spool, tmp_path):
    with Path(spool.path).open("ab") as file:
        file.write(frame(CHUNK, zlib.compress(made_up(VALUES_MOST // COUNT + 1, 1, b"\x01\x01\x02"))))
    ticks(spool, range(3))
    spool.end_chunk()
    (node,) = await Follower(tmp_path).look()
    assert ([minute.at_ms for minute in node.minutes], node.is_behind) == ([[0, 1000, 2000]], False)
    assert node.lost_bytes > 0


async def test_an_open_minute_that_no_look_has_room_for_is_not_asked_for_again_and_again(spool, tmp_path):
    rows, tick = bytearray(), bytearray()
    for process in range(VALUES_MOST // COUNT):
        put(rows, process)
        rows += b"\x01\x02"
    put(tick, 1000)
    put_bytes(tick, rows)
    put_bytes(tick, b"")
    Path(spool.path + LIVE).write_bytes(frame(TICK, bytes(tick)))
    (node,) = await Follower(tmp_path).look()
    assert (node.minutes, node.is_behind) == ([], False)


async def test_looks_of_all_who_ask_are_taken_apart_one_after_the_other(spool, tmp_path):
    busy_minute(spool)
    spool.end_chunk()
    inside, most = [], []

    def written(_: News) -> None:
        inside.append(1)
        most.append(len(inside))
        Event().wait(0.05)
        inside.pop()

    await asyncio.gather(*(read_profile(LocalTransport(tmp_path), "profile", "", written) for _ in range(4)))
    assert most == [1] * 4


async def test_of_files_that_are_many_bytes_a_look_reads_as_many_as_it_may_and_the_next_the_others(tmp_path):
    for number in range(5):
        one = begun(tmp_path / "profile", f"n{number}", {"node": str(number)})
        with Path(one.path).open("ab") as file:
            file.write(b"x" * (PIECE_BYTES // 2))
        one.chunk.tick(0)
        one.chunk.point("a", 1)
        one.end_chunk()
        one.close({})
    follower, seen = Follower(tmp_path), []
    for _ in range(2):
        before = follower.transport.given
        seen += [node.header["node"] for node in await follower.look()]
        assert follower.transport.given - before <= LOOK_BYTES
    assert seen == list("01234")


async def test_a_long_stretch_in_which_nothing_is_whole_is_passed_over_and_what_follows_is_read(spool, tmp_path):
    ticks(spool, range(3))
    spool.end_chunk()
    path = Path(spool.path)
    path.write_bytes(b"\xff" * PIECE_BYTES + path.read_bytes())
    follower = Follower(tmp_path)
    (node,) = await follower.look()
    assert (node.is_behind, node.lost_bytes, node.minutes) == (True, PIECE_BYTES, [])
    assert await follower.seconds() == [0, 1, 2]
