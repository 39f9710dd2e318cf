"""A job's user may have written anything into its profile: whoever looks at it is told, and nothing speaks to their
terminal or ends in an error."""

import json
import zlib
from pathlib import Path

import pytest
from tests.paramon.made import Made
from tests.paramon.show.pages import paramon

from paramon.sample.fields import AT
from paramon.sample.frames import CHUNK, frame
from paramon.sample.varint import put, put_bytes

ESCAPE = "\x1b[31m"
LONG = "e" + "\u0301" * 200_000, "r" * 200_000
"""One is a column wide."""
DIGITS = ("²", "٣", "9" * 5000, "1" * 10, ESCAPE, "")
STATES = (27, -5, 1 << 40, 0xD800, 0)
COMMANDS = (
    ("show",),
    ("show", "--json"),
    ("top", "--once", "--plain"),
    ("top", "--once"),
    ("export", "--csv"),
    ("export", "--jsonl"),
)


@pytest.fixture
def hostile(tmp_path) -> Path:
    missing = {ESCAPE: [ESCAPE], "long": LONG}
    made = Made(tmp_path, job=ESCAPE, command=LONG, unavailable=missing, usable_cores=-3, period=1e18)
    with Path(made.path).open("ab") as file:
        file.write(frame(CHUNK, zlib.compress(of_nothing())))
    for number, state in enumerate(STATES):
        made.comes(number, name=ESCAPE, command=ESCAPE, rank=number)
        made.values[number][AT["state"]] = state
    series = {f"mpi__{digits}__application_us": 5 for digits in DIGITS}
    series |= {f"gpu__{digits}__power_mw": 7 for digits in DIGITS} | {
        f"gpu__0__mig__{one}__sm_permille": 4 for one in DIGITS
    }
    for group in ("disk", "exits", "network", "energy", "counter", "cgroup", "node_counter", "frequency"):
        series[f"{group}__{ESCAPE}__read_bytes"] = 1 << 62
    for second in range(13):
        made.tick((second + 60) * 1000, **{name: value + second for name, value in series.items()})
    made.spool.close({"wall_ms": -5, "cpu_ticks_total": -4, "completeness": 1e300, "failed_reads": {ESCAPE: -1}})
    return tmp_path


def of_nothing() -> bytes:
    """A minute of a process and a series without a row."""
    out = bytearray()
    for number in (0, 1, 1, 7):
        put(out, number)
    put_bytes(out, b"")
    put(out, 1)
    put_bytes(out, b"cpu.user_ticks")
    put_bytes(out, b"")
    return bytes(out)


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_whoever_looks_at_it_sees_it(hostile, words):
    found = paramon(*words[:1], hostile, *words[1:])
    assert (found.returncode, found.stderr) == (0, "")
    assert found.stdout
    if words[0] != "export":  # a table has what was told
        assert "\x1b" not in found.stdout
    if words[-1] in ("--json", "--jsonl"):
        assert [json.loads(line) for line in found.stdout.splitlines()]
