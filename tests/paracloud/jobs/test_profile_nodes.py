"""Of many nodes each look reads some, and each has its turn."""

from tests.paracloud.jobs.profiled import Follower, as_it_is, node, spool, ticks

from paracloud.jobs.profile import WIDTH, read_profile
from paracloud.jobs.profile_cursor import CURSOR_LIMIT, FILES_MOST, NUMBER_MOST, Cursor, Part, key, write_cursor
from paracloud.jobs.profile_folder import NODES_MOST
from paracloud.transports.local import LocalTransport
from paramon.spool import Spool

__all__ = ["spool"]


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
