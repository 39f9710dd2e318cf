"""A minute read in parts says the same at each moment as read whole, and no part holds more than it may."""

import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.paramon.sample.test_chunk import ticks, write

from paramon.sample.chunk import ROWS_MOST, Chunk, ChunkWriter, read_chunk
from paramon.sample.errors import TooLarge
from paramon.sample.fields import COUNT
from paramon.sample.part import POINT, part_of
from paramon.sample.ticks import TickReader
from paramon.sample.varint import put, put_bytes


def standing(chunk: Chunk) -> dict[int, tuple[dict, dict]]:
    """What stands at each moment."""
    found = {}
    for number, at in enumerate(chunk.ticks):
        each = []
        for columns in (chunk.rows, chunk.points):
            until = {name: [value for tick, value in told if tick <= number] for name, told in columns.items()}
            each.append({name: told[-1] for name, told in until.items() if told})
        found[at] = (each[0], each[1])
    return found


@settings(max_examples=200, deadline=None)
@given(ticks, st.integers(3 * COUNT + 3 * POINT + 6, 2000), st.integers(0, 6000))
def test_part_after_part_is_the_whole_minute(told, most, from_ms):
    writer = ChunkWriter()
    each = write(writer, told)
    payload = writer.finish()
    whole = {at: found for at, found in standing(read_chunk(payload)).items() if at >= from_ms}
    parts, is_last, at_ms = {}, False, from_ms
    while not is_last:
        try:
            part = part_of(zlib.decompress(payload), at_ms, most)
        except TooLarge:  # processes and series that came and went count as if they were there
            assert most < 6 * COUNT + 3 * POINT + 1
            return
        is_last = part.is_last
        size = sum(map(len, part.chunk.rows.values())) * COUNT + sum(map(len, part.chunk.points.values())) * POINT
        assert size <= part.values <= most
        parts |= standing(part.chunk)
        at_ms = part.chunk.ticks[-1] + 1 if part.chunk.ticks else at_ms
    assert parts == whole
    reader = TickReader(from_ms)
    for one in each:
        reader.read(one)
    assert standing(reader.chunk) == whole


def many_rows(processes: int, ticks: int, series: int) -> bytes:
    out = bytearray()
    for number in (0, ticks, *[1] * (ticks - 1), processes):
        put(out, number)
    for process in range(processes):
        put(out, process)
        put_bytes(out, b"\x01\x01\x02" * ticks)
    put(out, series)
    for number in range(series):
        put_bytes(out, str(number).encode())
        put_bytes(out, b"\x01\x02" * ticks)
    return zlib.compress(bytes(out), 1)


@pytest.mark.parametrize(("processes", "series"), [(6, 5), (10, 1), (0, 11)])
def test_a_minute_of_too_many_rows_is_refused(processes, series):
    with pytest.raises(TooLarge):
        read_chunk(many_rows(processes, ROWS_MOST // 10, series))


def test_a_tick_that_has_no_room_is_refused_whole():
    writer, reader = ChunkWriter(), TickReader(most=5 * COUNT)
    first, second = write(writer, [({1: (1,) * COUNT}, {"a": 1}), (dict.fromkeys(range(9), (2,) * COUNT), {})])
    reader.read(first)
    with pytest.raises(TooLarge):
        reader.read(second)
    assert reader.chunk == Chunk([0], {1: [(0, (1,) * COUNT)]}, {"a": [(0, 1)]})
