"""Keys move through time and through the table, never out of them; nothing that is drawn is wider than the screen."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paramon.made import STARTED_MS, Made
from tests.paramon.top.screen import CONTROL

from paramon.text import width
from paramon.top import paint, rich_paint
from paramon.top.board import board
from paramon.top.keys import keys_in
from paramon.top.reel import Reel
from paramon.top.state import SORTS, SPEEDS, STEPS, Extent, State, played, pressed

EXTENT = Extent(10_000, 70_000, 20)
KEYS = ["q", "t", "h", "?", "up", "down", "pageup", "pagedown", " ", "g", "G", "home", "end", "+", "-", *SORTS, *STEPS,
        *"0123456789", "x", "é"]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(KEYS), st.floats(0, 1e6))))
def test_no_keys_and_no_time_lead_out_of_the_profile(acts):
    state = State()
    for act in acts:
        state = played(state, act, EXTENT) if isinstance(act, float) else pressed(state, act, EXTENT)
        assert state.moment_ms is None or EXTENT.start_ms <= state.moment_ms <= EXTENT.end_ms
        assert state.first_row >= 0
        assert state.speed in SPEEDS
        assert not (state.is_playing and state.moment_ms is None)


def test_playing_goes_at_its_speed_and_ends_at_the_newest():
    state = State(moment_ms=20_000, is_playing=True, speed=4.0)
    assert played(state, 1000, EXTENT).moment_ms == 24_000
    assert played(state, 20_000, EXTENT)._replace(speed=1.0) == State()


def test_keys_are_told_apart_and_what_is_none_is_left_out():
    assert keys_in(b"\x1b[A\x1bOBq\x1b[5~\x1b[99;5u \x1b[D") == ["up", "down", "q", "pageup", " ", "left"]
    assert keys_in(b"\x1b") == []


@pytest.mark.parametrize("painter", [paint.paint, rich_paint.paint])
@pytest.mark.parametrize("is_chinese", [False, True])
def test_nothing_is_wider_or_longer_than_the_screen(tmp_path, painter, is_chinese):
    for node in range(12):
        made = Made(tmp_path, node=f"node{node}", command=["计算" * 80])
        for number in range(1, 31):
            made.comes(number, rank=number, command=f"计算 {number} " + "x" * 200, name="\x1b[2J")
        series = {f"gpu__{card}__sm_permille": 500 for card in range(8)}
        made.tick(0, {1: {"user_ticks": 5, "rss_kib": 1 << 30}}, memory__total_kib=1, memory__available_kib=1, **series)
        made.tick(1000, {1: {"user_ticks": 500}})
    reel = Reel(str(tmp_path))
    reel.poll()

    def say(en: str, zh: str) -> str:
        return zh if is_chinese else en

    for columns, lines in ((60, 8), (80, 24), (200, 60)):
        for is_colourful in (False, True):
            drawn = painter(
                board(reel, State(is_tree=is_colourful), lines, say), columns, say, is_colourful=is_colourful
            )
            assert len(drawn) <= lines
            assert max(width(CONTROL.sub("", line)) for line in drawn) <= columns
            assert all("\x1b[2J" not in line for line in drawn)
            assert is_colourful or all("\x1b" not in line for line in drawn)


def english(en: str, _: str) -> str:
    return en


@pytest.mark.parametrize("painter", [paint.paint, rich_paint.paint])
def test_what_a_narrow_screen_has_no_room_for_is_left_out_and_the_rest_is_whole(tmp_path, painter):
    for at in range(2):
        made = Made(tmp_path, node=f"cn000{at}.cluster.example")
        made.comes(1, rank=at, pid=1234560 + at, command="lmp_mpi -in in.melt")
        for second in range(4):
            made.tick(second * 1000, {1: {"user_ticks": 90 * second, "read_chars": 3 << 20, "rss_kib": 5 << 20}})
    reel = Reel(str(tmp_path))
    reel.poll()
    for columns, plot in ((60, ""), (80, ""), (120, "2.70 s ▇▇▇")):
        lines = painter(board(reel, State(), 24, english), columns, english, is_colourful=False)
        row = next(line for line in lines if "1234561" in line)
        for part in ("cn0001 ", " 1 1234561", " 90% 5.0 GiB", plot, " lmp_mpi"):
            assert part in row, (columns, row)


def test_collectors_on_one_node_are_of_one_node(tmp_path):
    for at in range(3):
        made = Made(tmp_path, node="n1" if at < 2 else "n2", started_ms=STARTED_MS + at)
        made.comes(1, rank=at)
        made.tick(0, {1: {"rss_kib": 1 << 20}})
        made.tick(1000)
    reel = Reel(str(tmp_path))
    reel.poll()
    assert board(reel, State(), 24, english).summary.startswith("2 nodes  3 processes")


def test_a_card_that_is_lost_and_one_that_is_throttled_are_said_to_be(tmp_path):
    made = Made(tmp_path)
    made.tick(
        0, gpu__0__lost=1, gpu__1__sm_permille=10, gpu__1__throttle_reasons=4 | 64, gpu__1__mig__2__sm_permille=990
    )
    reel = Reel(made.path)
    reel.poll()
    lines = "\n".join(paint.paint(board(reel, State(), 24, english), 120, english, is_colourful=False))
    for part in ("GPU 0 LOST", "GPU 1  SM", "slowed by power limit, heat", "GPU 1/2  SM ███████████▉ 99%"):
        assert part in lines


def test_what_is_known_in_part_of_waits_is_told_as_on_the_page(tmp_path):
    made = Made(tmp_path)
    for number, known in ((1, 100), (2, 70), (3, 20)):
        made.comes(number, command=f"known {known}")
    made.tick(0)
    made.tick(1000, {number: {"user_ticks": 100, "waits_known_us": known * 10_000, "run_wait_us": 330_000}
                     for number, known in ((1, 100), (2, 70), (3, 20))})  # fmt: skip
    reel = Reel(made.path)
    reel.poll()
    drawn = board(reel, State(), 24, english)
    assert [row.cells[drawn.heads.index("WAIT")] for row in drawn.rows] == ["33%", "≥ 33%", "–"]
