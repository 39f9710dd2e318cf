"""Following a profile while it is written: what is seen at any moment is what a reader of the whole file sees later."""

import os
import tracemalloc
import zlib
from pathlib import Path

import pytest
from tests.paramon.made import Made

from paramon.facts.window import Window
from paramon.sample import tape as tapes
from paramon.sample.chunk import size
from paramon.sample.errors import Damaged
from paramon.sample.fields import AT
from paramon.sample.file import BLOCK, frames_in
from paramon.sample.frames import CHUNK, TICK, Frame, frame
from paramon.sample.profile import Process
from paramon.sample.roll import KEPT
from paramon.sample.tape import Tape
from paramon.sample.varint import put, put_bytes

USER = AT["user_ticks"]


def user_ticks(tape: Tape, at_ms: int) -> int:
    window = Window(tape.chunks(at_ms, at_ms))
    return window.process(1, window.tick_at(at_ms))[USER]


def test_each_tick_is_seen_when_it_is_written_and_still_after_its_minute(tmp_path):
    made = Made(tmp_path)
    tape = Tape(made.path)
    made.comes(1)
    for second in range(200):
        made.tick(second * 1000, {1: {"user_ticks": second * 7}})
        if second % 60 == 59:
            made.minute()
        tape.poll()
        assert tape.last_ms == second * 1000
        assert user_ticks(tape, second * 1000) == second * 7
    for second in (0, 59, 60, 61, 119, 120, 180, 199):
        assert user_ticks(tape, second * 1000 + 500) == second * 7
    made.close()
    tape.poll()
    assert tape.end is not None
    assert tape.last_ms == 199_000
    assert [tick for chunk in tape.chunks(0, 199_000) for tick in chunk.ticks] == list(range(0, 200_000, 1000))
    assert tape.process(1).pid == 1001


def test_who_comes_late_sees_all_of_it(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    for second in range(90):
        made.tick(second * 1000, {1: {"user_ticks": second}})
        if second == 59:
            made.minute()
    tape = Tape(made.path)
    tape.poll()
    assert (tape.last_ms, user_ticks(tape, 3000), user_ticks(tape, 89_000)) == (89_000, 3, 89)


def test_who_was_away_for_minutes_misses_nothing(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    tape = Tape(made.path)
    for second in range(200):
        made.tick(second * 1000, {1: {"user_ticks": second}})
        if second % 60 == 59:
            made.minute()
        if second in (10, 130):
            tape.poll()
    tape.poll()
    assert [user_ticks(tape, second * 1000) for second in (10, 59, 70, 130, 150, 199)] == [10, 59, 70, 130, 150, 199]


def test_a_tick_that_is_half_written_is_waited_for(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0, {1: {"user_ticks": 1}})
    whole = Path(made.path + ".live").read_bytes()
    tape = Tape(made.path)
    with open(made.path + ".live", "wb") as file:
        file.write(whole[:9])
        file.flush()
        tape.poll()
        assert tape.last_ms == -1
        file.write(whole[9:-1])
        file.flush()
        tape.poll()
        assert tape.last_ms == -1
        file.write(whole[-1:])
    tape.poll()
    assert tape.last_ms == 0


def test_ticks_behind_damaged_ones_are_not_made_up(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0, {1: {"user_ticks": 1}})
    with open(made.path + ".live", "ab") as file:
        file.write(b"rubbish")
    made.tick(1000, {1: {"user_ticks": 2}})
    tape = Tape(made.path)
    tape.poll()
    tape.poll()
    assert tape.last_ms == 0
    made.minute()
    tape.poll()
    assert (tape.last_ms, user_ticks(tape, 1000)) == (1000, 2)


def test_a_file_that_was_taken_away_and_begun_again_is_read_anew(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.tick(0, {1: {"user_ticks": 1}})
    made.minute()
    tape = Tape(made.path)
    tape.poll()
    size = os.path.getsize(made.path)
    os.unlink(made.path)
    second = 0
    while second == 0 or os.path.getsize(made.path) <= size:  # its length does not tell that it is another
        second += 1
        made.tick(second * 1000, {1: {"user_ticks": second * 2}})
        made.minute()
    tape.poll()
    assert (tape.last_ms, user_ticks(tape, 1000)) == (second * 1000, 2)


def test_a_process_that_is_in_no_later_minute_is_gone(tmp_path):
    made = Made(tmp_path)
    made.comes(1)
    made.comes(2)
    made.tick(0)
    made.minute()
    made.forget(2)
    made.tick(1000)
    made.minute()
    tape = Tape(made.path)
    tape.poll()
    window = Window(tape.chunks(0, 1000))
    assert window.process(2, window.tick_at(999)) is not None
    assert window.process(2, window.tick_at(1000)) is None


def test_frames_larger_than_a_block_are_found_and_rubbish_between_them_is_counted(tmp_path):
    parts = [
        frame(CHUNK, os.urandom(3 * BLOCK)),
        b"rubbish" * 9,
        frame(TICK, b"x"),
        frame(CHUNK, os.urandom(BLOCK - 7)),
    ]
    path = tmp_path / "f"
    path.write_bytes(b"".join(parts) + parts[0][:999])
    found = list(frames_in(str(path)))
    assert [one.kind if isinstance(one, Frame) else one for one in found] == [CHUNK, 63, TICK, CHUNK]
    ends = [one.end for one in found if isinstance(one, Frame)]
    assert ends == [len(parts[0]), len(b"".join(parts[:3])), len(b"".join(parts))]
    assert [one.end for one in frames_in(str(path), ends[1])] == ends[2:]


def test_bytes_that_are_none_of_ours_take_no_memory_however_many_and_are_counted(tmp_path):
    path, damaged = tmp_path / "f", frame(CHUNK, bytes(BLOCK))[:-1] + b"!"
    first, last = frame(TICK, b"first"), frame(TICK, b"last")
    with path.open("wb") as file:
        file.write(first)
        file.seek(40 * BLOCK, os.SEEK_CUR)
        for _ in range(30):
            file.write(damaged)
        file.write(last)
        file.truncate(file.tell() + 40 * BLOCK)
    tracemalloc.start()
    found = list(frames_in(str(path)))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert [one.payload for one in found if isinstance(one, Frame)] == [b"first", b"last"]
    assert sum(one for one in found if isinstance(one, int)) == 40 * BLOCK + 30 * len(damaged)
    assert found[-1].end == len(first) + 40 * BLOCK + 30 * len(damaged) + len(last)
    assert peak < 10 * BLOCK


def test_what_is_no_file_on_a_disk_is_not_waited_for(tmp_path):
    made = Made(tmp_path)
    made.tick(0)
    os.unlink(made.path + ".live")
    os.mkfifo(made.path + ".live")
    Tape(made.path).poll()
    os.unlink(made.path)
    os.mkfifo(made.path)
    for path in (made.path, "/dev/zero"):
        with pytest.raises(Damaged, match="no regular file"):
            Tape(path).poll()


def test_a_process_is_known_by_its_last_name_however_many_there_were(tmp_path):
    made = Made(tmp_path)
    tape = Tape(made.path)
    for first in range(1, 5 * KEPT, 100):
        made.spool.processes([Process(number, number, 5, 1, "a", "./a", -1) for number in range(first, first + 100)])
    made.spool.processes([Process(7, 7, 5, 1, "b", "./b", 3)])
    made.tick(0)
    tape.poll()
    last = 5 * KEPT
    assert [tape.process(number).name for number in (1, 7, last)] == ["a", "b", "a"]
    assert all(tape.process(number).pid == number for number in range(1, last + 1, 50))
    assert (tape.process(0), tape.process(last + 1), tape.process(-1)) == (None, None, None)
    made.spool.processes([Process(7, 7, 5, 1, "c", "./c", 3)])
    tape.poll()
    assert tape.process(7).name == "c"


def test_a_number_that_nothing_can_have_is_passed_over(tmp_path):
    made = Made(tmp_path)
    for beside, number in ((2, 1 << 60), (3, -1)):
        made.spool.processes([Process(beside, 7, 1, 1, "x", "x", -1), Process(number, 1, 1, 1, "x", "x", -1)])
    made.comes(1)
    made.tick(0)
    tape = Tape(made.path)
    tape.poll()
    assert [tape.process(number).pid for number in (1, 2, 3)] == [1001, 7, 7]
    assert (tape.process(1 << 60), tape.process(-1), tape.last_ms) == (None, None, 0)


def test_however_many_minutes_say_that_they_are_of_the_same_time_they_take_no_more_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(tapes, "ROWS_MOST", 100)
    made = Made(tmp_path)
    made.tick(0)
    made.minute()
    with Path(made.path).open("ab") as file:
        file.writelines(frame(CHUNK, a_minute(1, ticks=4, processes=10)) for _ in range(12))
    tape = Tape(made.path)
    tape.poll()
    for _ in range(2):
        assert sum(map(size, tape.chunks(0, 70_000))) == 88
        assert sum(map(size, tape._kept.values())) == 88


def a_minute(first_ms: int, *, ticks: int, processes: int) -> bytes:
    """In which all ticks are of one moment, and each process has a row at each."""
    out = bytearray()
    put(out, first_ms)
    put(out, ticks)
    out += bytes(ticks - 1)
    put(out, processes)
    for process in range(processes):
        put(out, process)
        put_bytes(out, b"\x01\x01\x02" * ticks)
    put(out, 0)
    return zlib.compress(bytes(out))
