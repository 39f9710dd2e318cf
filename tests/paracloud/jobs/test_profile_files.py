"""A profile's files come byte by byte: put together they are the same, and no byte is read twice."""

import os
from pathlib import Path

import pytest
from tests.paracloud.jobs.profiled import Read, as_it_is, spool, ticks

from paracloud.jobs.profile import read_profile
from paracloud.jobs.profile_cursor import CURSOR_LIMIT, NUMBER_MOST, Cursor, key, read_cursor, write_cursor
from paracloud.jobs.profile_files import ANSWER_BYTES, WIDTH, Seen, read_profile_files
from paracloud.jobs.profile_folder import NODES_MOST
from paracloud.kit.errors import Invalid, NotFound
from paracloud.transports.local import LocalTransport
from paramon.sample.frames import HEAD

__all__ = ["spool"]


class Follower:
    """Puts the pieces together as whoever asks for them does."""

    def __init__(self, home: Path) -> None:
        self.transport, self.cursor = Read(home), ""
        self.files: dict[str, bytes] = {}

    async def look(self) -> int:
        """The bytes that were read for it."""
        before = self.transport.given
        news = await read_profile_files(self.transport, "profile", self.cursor)
        self.cursor = news.cursor
        for one in news.files:
            for name, piece in ((one.file, one.written), (one.file + ".live", one.open_minute)):
                self.files[name] = self.files.get(name, b"")[: piece.start] + piece.content
        return self.transport.given - before

    def assert_same(self, folder: Path) -> None:
        there = {path.name: path.read_bytes() for path in folder.iterdir() if path.stat().st_size}
        assert {name: content for name, content in self.files.items() if content} == there


async def test_put_together_they_are_what_lies_at_the_centre_at_each_moment(spool, tmp_path):
    follower, folder = Follower(tmp_path), tmp_path / "profile"
    for minute in range(3):
        for second in range(5):
            ticks(spool, [minute * 60 + second])
            await follower.look()
            follower.assert_same(folder)
        spool.end_chunk()
        if minute:  # a look between the minutes, and none
            await follower.look()
            follower.assert_same(folder)
    spool.close({"exit_code": 0})
    await follower.look()
    follower.assert_same(folder)


async def test_a_look_reads_what_is_new_alone_however_long_the_job_has_run(spool, tmp_path):
    follower, folder = Follower(tmp_path), tmp_path / "profile"
    costs = {}
    for minute in range(1, 31):
        ticks(spool, range(minute * 60, minute * 60 + 30))
        await follower.look()
        before = sum(path.stat().st_size for path in folder.iterdir())
        ticks(spool, [minute * 60 + 30])
        fresh = sum(path.stat().st_size for path in folder.iterdir()) - before
        costs[minute] = await follower.look()
        assert costs[minute] == fresh + HEAD.size, "the tick, and by what to see that it is the same minute's"
        assert await follower.look() == HEAD.size
        spool.end_chunk()
    assert costs[30] == costs[2]


async def test_a_file_that_was_taken_away_and_begun_again_is_read_from_its_start(spool, tmp_path):
    follower, folder = Follower(tmp_path), tmp_path / "profile"
    ticks(spool, range(30))
    spool.end_chunk()
    await follower.look()
    os.unlink(spool.path)
    ticks(spool, [60])
    spool.end_chunk()
    await follower.look()
    follower.assert_same(folder)


async def test_what_is_too_much_for_one_answer_comes_with_the_next(spool, tmp_path):
    ticks(spool, range(3))
    spool.end_chunk()
    with open(spool.path, "ab") as file:
        file.write(os.urandom(ANSWER_BYTES + 1000))
    (tmp_path / "profile" / "second.paramon").write_bytes(b"x" * 1000)
    first = await read_profile_files(LocalTransport(tmp_path), "profile", "")
    assert [(one.is_behind, len(one.written.content)) for one in first.files] == [(True, ANSWER_BYTES), (True, 0)]
    follower = Follower(tmp_path)
    for _ in range(2):
        await follower.look()
    follower.assert_same(tmp_path / "profile")


async def test_open_minutes_count_in_an_answer_and_the_next_one_has_the_others(tmp_path):
    folder = tmp_path / "profile"
    folder.mkdir()
    for number in range(4):
        (folder / f"n{number}.paramon").write_bytes(os.urandom(1000))
        (folder / f"n{number}.paramon.live").write_bytes(os.urandom(ANSWER_BYTES // 2))
    follower = Follower(tmp_path)
    for _ in range(3):
        assert await follower.look() <= ANSWER_BYTES + 4 * HEAD.size
    follower.assert_same(folder)
    news = await read_profile_files(LocalTransport(tmp_path), "profile", "")
    assert [one.is_behind for one in news.files] == [False, True, True, True]


async def test_where_only_an_open_minute_is_longer_than_an_answer_it_says_so(tmp_path):
    folder = tmp_path / "profile"
    folder.mkdir()
    (folder / "n1.paramon").write_bytes(b"")
    (folder / "n1.paramon.live").write_bytes(os.urandom(ANSWER_BYTES + 1))
    first = await read_profile_files(LocalTransport(tmp_path), "profile", "")
    second = await read_profile_files(LocalTransport(tmp_path), "profile", first.cursor)
    assert [one.is_behind for news in (first, second) for one in news.files] == [True, False]


async def test_what_cannot_be_read_among_the_files_costs_itself_alone(spool, tmp_path):
    ticks(spool, range(3))
    folder = tmp_path / "profile"
    os.mkfifo(folder / "a-pipe.paramon")
    os.mkfifo(folder / "n2.paramon.live")
    (folder / "n2.paramon").write_bytes(b"x" * 1000)
    (folder / "to-a-folder.paramon").symlink_to(tmp_path)
    (folder / "to-nothing.paramon").symlink_to("nothing")
    follower = Follower(tmp_path)
    await follower.look()
    name = Path(spool.path).name
    assert follower.files[name] == Path(spool.path).read_bytes()
    assert len(follower.files["n2.paramon"]) == 1000
    news = await read_profile(LocalTransport(tmp_path), "profile", "", as_it_is)
    assert [minute.at_ms for node in news.nodes for minute in node.minutes] == [[0, 1000, 2000]]


async def test_files_behind_those_of_one_answer_are_told_of_after_them(tmp_path):
    folder = tmp_path / "profile"
    folder.mkdir()
    names = [f"n{number:03}.paramon" for number in range(2 * NODES_MOST + 3)]
    for name in names:
        (folder / name).write_bytes(name.encode())
    after, seen, left_out = "", [], []
    for _ in range(3):
        news = await read_profile_files(LocalTransport(tmp_path), "profile", "", after)
        seen += [one.file for one in news.files]
        left_out.append(news.left_out)
        after = seen[-1]
    assert (seen, left_out) == (names, [NODES_MOST + 3, 3, 0])


async def test_a_cursor_has_room_however_long_names_are_and_however_much_was_read(tmp_path):
    folder = tmp_path / "profile"
    folder.mkdir()
    names = [f"{number:0200}-1795754938031-7528.paramon" for number in range(NODES_MOST)]
    for name in names:
        (folder / name).write_bytes(b"x")
    news = await read_profile_files(LocalTransport(tmp_path), "profile", "")
    assert {key(name) for name in names} == set(read_cursor(news.cursor, WIDTH).places)
    most = Cursor({key(name): Seen(*[NUMBER_MOST] * WIDTH) for name in names}, key(names[0]))
    assert len(news.cursor) <= len(write_cursor(most, WIDTH)) <= CURSOR_LIMIT


async def test_without_a_profile_or_with_a_cursor_of_another_kind_it_says_so(spool, tmp_path):
    transport = LocalTransport(tmp_path)
    with pytest.raises(NotFound):
        await read_profile_files(transport, "nowhere", "")
    ticks(spool, range(3))
    of_samples = (await read_profile(transport, "profile", "", as_it_is)).cursor
    of_files = (await read_profile_files(transport, "profile", "")).cursor
    for cursor in ("x", of_samples, write_cursor(Cursor({1: (1, 2, NUMBER_MOST + 1)}), WIDTH)):
        with pytest.raises(Invalid):
            await read_profile_files(transport, "profile", cursor)
    with pytest.raises(Invalid):
        await read_profile(transport, "profile", of_files, as_it_is)
