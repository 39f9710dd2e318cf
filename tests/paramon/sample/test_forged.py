"""What anybody may have written where the collector writes is damaged: whoever reads it counts it, and reads on."""

import json

import pytest

from paramon.sample.chunk import MOMENT_MOST_MS, ChunkWriter
from paramon.sample.frames import CHUNK, END, HEADER, PROCESSES, frame
from paramon.sample.profile import NUMBER_MOST, open_profile

ROW = [2, 78, 6, 1, "b.out", "./b.out", 0]


def forged(at: int, value: object) -> bytes:
    return json.dumps([[*ROW[:at], value, *ROW[at + 1 :]]]).encode()


def later(moment_ms: int) -> tuple[bytes, bytes]:
    """As a minute that is over, and as the tick of one that is not."""
    writer = ChunkWriter()
    writer.tick(moment_ms)
    tick = writer.end_tick()
    return writer.finish(), tick


WRONG = {
    "number is a text": (PROCESSES, forged(0, "2")),
    "number is a truth": (PROCESSES, forged(0, True)),  # what JSON has besides
    "number is a fraction": (PROCESSES, forged(0, 2.5)),
    "number is a list": (PROCESSES, forged(0, [2])),
    "pid is very large": (PROCESSES, forged(1, NUMBER_MOST)),
    "name is a number": (PROCESSES, forged(4, 7)),
    "name is half a character": (PROCESSES, forged(4, "\ud800")),
    "command is nothing": (PROCESSES, forged(5, None)),
    "a field is missing": (PROCESSES, json.dumps([ROW[:-1]]).encode()),
    "no list": (PROCESSES, b'{"1": 2}'),
    "header of numbers": (HEADER, b"[[1, 2]]"),
    "header without end": (HEADER, b'{"a":' * 50 + b"1" + b"}" * 50),
    "header very deep": (HEADER, b'{"a":' * 5000 + b"1" + b"}" * 5000),
    "header is not finite": (HEADER, b'{"period": 1e999}'),
    "header is no number": (HEADER, b'{"cost": NaN}'),
    "header starts with a text": (HEADER, b'{"started_at_ms": "now"}'),
    "header counts no time": (HEADER, b'{"ticks_a_second": 0}'),
    "half a character ends it": (END, b'{"a": "\\udc00"}'),
    "end is very long": (END, b'{"wall_ms": "1"}'),
    **{f"{name} is a text": (END, json.dumps({name: "\x1b[31m"}).encode())
       for name in ("exit_code", "signal", "denied_processes", "given_up_frames")},
    "failed reads are texts": (END, b'{"failed_reads": {"gpu": "\\u001b[2J"}}'),
    "signal is a truth": (END, b'{"signal": true}'),
    "moment is very late": (CHUNK, later(MOMENT_MOST_MS + 1)[0]),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG.keys())
def test_it_is_counted_and_what_is_behind_it_is_read(tmp_path, wrong):
    good = frame(HEADER, b'{"node": "n1"}'), frame(PROCESSES, json.dumps([ROW]).encode()), frame(CHUNK, later(1000)[0])
    (tmp_path / "n1.paramon").write_bytes(good[0] + frame(*wrong) + good[1] + good[2])
    (node,) = open_profile(str(tmp_path))
    assert [chunk.ticks for chunk in node.chunks()] == [[1000]]
    assert (node.damaged_chunks, node.header, node.end) == (1, {"node": "n1"}, None)
    assert [list(one) for one in node.processes.values()] == [ROW]
