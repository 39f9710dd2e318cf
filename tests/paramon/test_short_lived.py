"""`paramon run` of a loop of processes that live for milliseconds: none is missed, and none is told of twice."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tests.paramon.ran import everybody

from paramon.sample.profile import open_profile
from paramon.sensors.exits import Exits
from paramon.sensors.sensor import Unavailable

ROOT = Path(__file__).parents[2]
LOOPS = 150
WITHOUT = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin") if os.getuid() == 0 else ()
"""The right to exit records: only root has it, and can give it away."""
BURN = "import time\nwhile time.process_time() < 0.4: pass"


def profile_of_a_loop(tmp_path, *before):
    loop = f"for i in $(seq {LOOPS}); do /bin/true; done; '{sys.executable}' -S -c '{BURN}'; /bin/true"
    return profile_of(tmp_path, loop, before)


def profile_of(tmp_path, loop, before, period=0.5):
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), *sys.path])}
    argv = [*before, sys.executable, "-m", "paramon", "run", "--period", str(period), "--budget", "50"]
    argv += ["--folder", str(tmp_path / "profile"), "--", "bash", "-c", loop]
    subprocess.run(argv, env=environment, check=True, timeout=120, cwd=tmp_path)
    (node,) = open_profile(str(tmp_path / "profile"))
    series = {}
    for chunk in node.chunks():
        series.update({name: points[-1][1] for name, points in chunk.points.items()})
    return node, series


def test_each_process_is_told_of_once_by_its_exit_record(tmp_path):
    try:
        Exits().close()
    except Unavailable as why:
        pytest.skip(why.en)
    node, series = profile_of_a_loop(tmp_path)
    seen = everybody(node)
    looked_at = [one for one in seen if one.name == "true" or one.command == "/bin/true"]
    # One that was met before it executed its program had its parent's name still.
    as_bash = [one for one in seen if one.parent in {other.pid for other in seen}]
    told = series["exits.true.count"]
    assert told <= LOOPS + 1
    assert told + len(set(looked_at) | set(as_bash)) >= LOOPS
    assert "exits" not in node.header["unavailable"]
    assert node.end["cpu_ticks_total"] - 3 <= node.end["cpu_ticks"] <= node.end["cpu_ticks_total"] + 1


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give its rights away")
def test_without_the_right_to_exit_records_parents_tell_and_the_profile_says_why(tmp_path):
    node, series = profile_of_a_loop(tmp_path, *WITHOUT)
    en, zh = node.header["unavailable"]["exits"]
    assert "CAP_NET_ADMIN" in en
    assert "CAP_NET_ADMIN" in zh
    assert not any(name.startswith("exits.") for name in series)
    assert node.end["cpu_ticks_total"] - 3 <= node.end["cpu_ticks"] <= node.end["cpu_ticks_total"] + 1


UNTIL_IT_IS_WAITED_FOR = "while kill -0 $(cat pid) 2>/dev/null; do sleep 0.05; done"


def orphan(work: str) -> str:
    return f"( {work} & echo $! >pid ); {UNTIL_IT_IS_WAITED_FOR}; "


def test_without_that_right_orphans_are_told_of_by_who_waits_for_them(tmp_path):
    burn = f"'{sys.executable}' -S -c '{BURN}'"
    node, series = profile_of(tmp_path, 3 * orphan(burn), WITHOUT, period=60)
    name = os.path.basename(sys.executable)[:15]
    assert series[f"exits.{name}.count"] == 3
    assert series[f"exits.{name}.cpu_us"] >= 3 * 400_000
    assert f"exits.{name}.peak_rss_kib" not in series
    assert 0.95 * node.end["cpu_ticks_total"] <= node.end["cpu_ticks"] <= node.end["cpu_ticks_total"] + 1


def test_an_orphan_that_was_looked_at_is_counted_to_its_end_and_once_and_so_are_its_children(tmp_path):
    burn = f"'{sys.executable}' -S -c '{BURN}'"
    node, series = profile_of(tmp_path, orphan(burn) + orphan(f"({burn}; {burn}; true)"), WITHOUT, period=0.3)
    assert not any(name.endswith(".count") for name in series)
    assert 0.95 * node.end["cpu_ticks_total"] <= node.end["cpu_ticks"] <= node.end["cpu_ticks_total"] + 1
