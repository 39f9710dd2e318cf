"""An agent that is killed or stopped: what it saw stays, and what it missed is told."""

import os
import signal
import time
from itertools import pairwise
from pathlib import Path

from tests.paramon.agent.started import Started, agent
from tests.paramon.agent.strict import value
from tests.paramon.ran import everybody

from paramon.sample.profile import LIVE, open_profile

PERIOD_SECONDS = 0.2
STOPPED_SECONDS = 2.0
MINUTE_LOOKS = 7
"""At most, in a minute of a second."""


def at_ms(node) -> list[int]:
    return [at for chunk in node.chunks() for at in chunk.ticks]


def looks(started: Started, least: int) -> int:
    """At least so many."""
    found = started.until(lambda now: value(now, "paramon_agent_looks") >= least)
    return int(value(found, "paramon_agent_looks"))


def test_of_one_that_is_killed_all_minutes_can_be_read_and_the_open_one_and_the_next_begins_its_own(tmp_path):
    options = "--folder", str(tmp_path), "--node", "n7", "--budget", "100"
    with agent(*options, has_short_minutes=True) as started:
        told = looks(started, 13)
        started.process.kill()
        assert started.process.wait(60) == -signal.SIGKILL
    (node,) = open_profile(str(tmp_path))
    ticks = at_ms(node)
    assert len(ticks) >= told
    assert ticks == sorted(set(ticks))
    assert (node.end, node.lost_bytes, node.damaged_chunks) == (None, 0, 0)
    assert os.getpid() in {one.pid for one in everybody(node)}
    Path(node.path + LIVE).unlink()
    (node,) = open_profile(str(tmp_path))
    assert len(ticks) - MINUTE_LOOKS <= len(at_ms(node))
    assert (node.lost_bytes, node.damaged_chunks) == (0, 0)
    assert os.getpid() in {one.pid for one in everybody(node)}
    with agent(*options) as started:
        looks(started, 2)
        assert [len(at_ms(one)) >= 2 for one in open_profile(str(tmp_path))] == [True, True]


def test_one_that_was_stopped_tells_the_looks_that_it_missed(tmp_path):
    with agent("--folder", str(tmp_path), "--budget", "100") as started:
        before = value(started.until(lambda now: value(now, "paramon_agent_looks") > 2), "paramon_agent_missed_looks")
        started.process.send_signal(signal.SIGSTOP)
        os.waitid(os.P_PID, started.process.pid, os.WSTOPPED)
        time.sleep(STOPPED_SECONDS)  # that it passes is what is missed
        started.process.send_signal(signal.SIGCONT)
        least = before + STOPPED_SECONDS / PERIOD_SECONDS - 1
        found = started.until(lambda now: value(now, "paramon_agent_missed_looks") >= least)
        seen = looks(started, int(value(found, "paramon_agent_looks")) + 2)
        started.process.send_signal(signal.SIGTERM)
        assert started.process.wait(60) == 0
    (node,) = open_profile(str(tmp_path))
    assert node.end["missed_ticks"] >= least
    assert node.end["ticks"] >= seen
    assert max(after - before for before, after in pairwise(at_ms(node))) >= STOPPED_SECONDS * 1000
