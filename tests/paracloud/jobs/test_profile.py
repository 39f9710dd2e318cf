"""A profile is read at its centre as it grows: each look gets what is new, once, and reads no more than that."""

import asyncio
import zlib
from pathlib import Path
from threading import Event

import pytest

from paracloud.jobs.profile import LOOK_BYTES, WIDTH, News, read_profile
from paracloud.jobs.profile_cursor import CURSOR_LIMIT, FILES_MOST, NUMBER_MOST, Cursor, Part, key, write_cursor
from paracloud.jobs.profile_folder import NODES_MOST
from paracloud.jobs.profile_parts import MINUTE_BYTES, PARSED_BYTES, PIECE_BYTES, VALUES_MOST
from paracloud.kit.errors import Invalid, NotFound
from paracloud.transports.local import LocalTransport
from paramon.sample.fields import COUNT
from paramon.sample.frames import CHUNK, HEAD, TICK, frame
from paramon.sample.profile import LIVE, Process
from paramon.sample.varint import put, put_bytes
from paramon.spool import Spool


def as_it_is(news: News) -> News:
    return news


class Read(LocalTransport):
    """Counts the bytes that it gave."""

    def __init__(self, home: Path) -> None:
        super().__init__(home)
        self.given = 0
        self.paths: list[str] = []

    async def read(self, path, *, start=0, limit_bytes):
        self.paths.append(path)
        found = await super().read(path, start=start, limit_bytes=limit_bytes)
        self.given += len(found)
        return found


@pytest.fixture
def spool(tmp_path):
    one = Spool(str(tmp_path / "profile"), "n1-1", {"node": "n1"})
    one.processes([Process(1, 77, 5, 1, "a.out", "./a.out", 0)])
    return one


def ticks(spool: Spool, numbers) -> None:
    for number in numbers:
        spool.chunk.tick(number * 1000)
        spool.chunk.row(1, (number // 2 + 1,) * COUNT)
        spool.chunk.point("cpu.user_ticks", number)
        spool.end_tick()


class Follower:
    def __init__(self, home: Path) -> None:
        self.transport, self.cursor = Read(home), ""

    async def look(self):
        news = await read_profile(self.transport, "profile", self.cursor, as_it_is)
        self.cursor = news.cursor
        return news.nodes

    async def paths_of_a_look(self) -> list[str]:
        self.transport.paths.clear()
        await self.look()
        return self.transport.paths

    async def seconds(self) -> list[int]:
        return [at // 1000 for node in await self.look() for minute in node.minutes for at in minute.at_ms]


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
        one = Spool(str(tmp_path / "profile"), name, {"node": name})
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
        one = Spool(str(tmp_path / "profile"), f"n{number}", {"node": str(number)})
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


def node(tmp_path: Path, number: int) -> Spool:
    one = Spool(str(tmp_path / "profile"), f"node{number:04}-1795754938031-7528", {"node": str(number)})
    ticks(one, range(3))
    return one


async def test_of_many_nodes_each_look_reads_some_and_each_has_its_turn(tmp_path):
    for number in range(FILES_MOST + 4):
        node(tmp_path, number)
    follower, seen, left_out = Follower(tmp_path), [], []
    for _ in range(FILES_MOST // NODES_MOST):
        news = await read_profile(follower.transport, "profile", follower.cursor, as_it_is)
        follower.cursor = news.cursor
        left_out.append(news.left_out)
        seen += [one.header["node"] for one in news.nodes if one.minutes]
    assert seen == [str(number) for number in range(FILES_MOST)]
    assert set(left_out) == {FILES_MOST - NODES_MOST + 4}
    most = Cursor({key(str(number)): (NUMBER_MOST,) * WIDTH for number in range(FILES_MOST)}, key("0"))
    assert len(follower.cursor) <= len(write_cursor(most, WIDTH)) <= CURSOR_LIMIT


async def test_of_more_files_than_a_cursor_knows_each_part_tells_its_own_from_where_the_whole_was(tmp_path):
    transport, cursors, seen = LocalTransport(tmp_path), {Part(): ""}, []
    for come in (FILES_MOST, 120, 120, 120):
        for number in range(come):
            Spool(str(tmp_path / "profile"), f"{-len(seen)}-{number}", {"node": f"{len(seen)}-{number}"}).close({})
        before = ()
        while before != (len(seen), len(cursors)):
            before = len(seen), len(cursors)
            for part, cursor in list(cursors.items()):
                news = await read_profile(transport, "profile", cursor, as_it_is, part)
                seen += [one.header["node"] for one in news.nodes]
                del cursors[part]
                both = [Part(number, news.parts) for number in range(part.number, news.parts, part.parts)]
                cursors.update(dict.fromkeys(both, news.cursor))
        assert news.left_out == 0
    assert {part.parts for part in cursors} == {4}
    assert len(seen) == len(set(seen)) == FILES_MOST + 3 * 120


async def test_who_asks_for_one_part_is_told_of_those_that_it_knows_whatever_comes(tmp_path):
    for number in range(FILES_MOST):
        node(tmp_path, number).close({})
    follower, seen = Follower(tmp_path), []
    for name in ("", "a", "b"):
        if name:
            Spool(str(tmp_path / "profile"), name, {"node": name}).close({})
        for _ in range(FILES_MOST // NODES_MOST):
            seen += [one.header["node"] for one in await follower.look()]
    assert seen == [str(number) for number in range(FILES_MOST)]
    news = await read_profile(follower.transport, "profile", follower.cursor, as_it_is)
    assert (news.parts, news.left_out) == (2, 2)


async def test_a_node_that_begins_late_is_told_from_its_beginning_and_one_that_has_ended_costs_nothing(spool, tmp_path):
    follower = Follower(tmp_path)
    ticks(spool, range(3))
    await follower.look()
    late = node(tmp_path, 2)
    spool.close({})
    (first, second) = await follower.look()
    assert (first.file, first.end is not None) == ("n1-1.paramon", True)
    assert (second.header["node"], [minute.at_ms for minute in second.minutes]) == ("2", [[0, 1000, 2000]])
    ticks(late, [3])
    paths = await follower.paths_of_a_look()
    assert {path.partition("-")[0] for path in paths} == {"profile/node0002"}
    late.close({})
    await follower.look()
    assert await follower.paths_of_a_look() == []


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
