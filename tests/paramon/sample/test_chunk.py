"""What is written of a minute is what is read of it, from the whole chunk and tick by tick."""

import contextlib
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paramon.sample.chunk import ChunkWriter, read_chunk
from paramon.sample.errors import Damaged, TooLarge
from paramon.sample.fields import COUNT
from paramon.sample.inflate import LARGEST
from paramon.sample.ticks import TickReader

numbers = st.sampled_from([0, 1, -1, 63, 64, 127, 128, 2**31, 2**63 - 1]) | st.integers(-(2**40), 2**40)
rows = st.lists(numbers, min_size=COUNT, max_size=COUNT).map(tuple)
ticks = st.lists(
    st.tuples(
        st.dictionaries(st.integers(0, 5), rows, max_size=3),
        st.dictionaries(st.sampled_from(["cpu.idle_ticks", "内存", ""]), numbers, max_size=2),
    ),
    min_size=1,
    max_size=6,
)


def write(writer: ChunkWriter, told) -> list[bytes]:
    each = []
    for number, (processes, series) in enumerate(told):
        writer.tick(number * 1000)
        for process, values in processes.items():
            writer.row(process, values)
        for name, value in series.items():
            writer.point(name, value)
        each.append(writer.end_tick())
    return each


def expected(told):
    """Only what changed, from nothing on."""
    was_rows, was_points, found_rows, found_points = {}, {}, {}, {}
    for number, (processes, series) in enumerate(told):
        for process, values in processes.items():
            if values != was_rows.get(process, (0,) * COUNT):
                found_rows.setdefault(process, []).append((number, values))
                was_rows[process] = values
        for name, value in series.items():
            if value != was_points.get(name):
                found_points.setdefault(name, []).append((number, value))
                was_points[name] = value
    return found_rows, found_points


@settings(max_examples=200, deadline=None)
@given(ticks, ticks)
def test_a_minute_and_its_ticks_say_what_was_written_and_the_next_minute_stands_for_itself(first, second):
    writer = ChunkWriter()
    for told in (first, second):
        reader = TickReader()
        for payload in write(writer, told):
            reader.read(payload)
        whole = read_chunk(writer.finish())
        assert whole.ticks == [number * 1000 for number in range(len(told))]
        assert {process: found for process, found in whole.rows.items() if found} == expected(told)[0]
        assert whole.points == expected(told)[1]
        assert reader.chunk.ticks == whole.ticks
        assert (reader.chunk.rows, reader.chunk.points) == expected(told)


@settings(max_examples=300, deadline=None)
@given(ticks, st.data())
def test_damaged_bytes_are_damaged_or_read_and_nothing_else(told, data):
    writer = ChunkWriter()
    each = write(writer, told)
    inflated = bytearray(zlib.decompress(writer.finish()))
    at = data.draw(st.integers(0, len(inflated) - 1))
    inflated[at] = data.draw(st.integers(0, 255))
    for payload in (zlib.compress(bytes(inflated)), bytes(inflated), zlib.compress(bytes(inflated[:at]))):
        with contextlib.suppress(Damaged):
            read_chunk(payload)
    with contextlib.suppress(Damaged):
        TickReader().read(each[0][: data.draw(st.integers(0, len(each[0])))])


def test_what_inflates_without_end_is_refused():
    with pytest.raises(TooLarge):
        read_chunk(zlib.compress(b"\0" * (LARGEST + 1), 1))
    assert LARGEST <= 32 << 20
