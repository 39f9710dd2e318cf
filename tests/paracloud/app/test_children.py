import os
import time
from pathlib import Path

import psutil
import pytest

from paracloud.app.children import HEALTHY_SECONDS, LONGEST, SHORTEST, Backoff, Child, running, stop

PATIENCE_SECONDS = 60.0


def test_whoever_ends_again_and_again_is_started_later_each_time_and_never_given_up() -> None:
    backoff, at, pauses = Backoff(), 100.0, []
    for _ in range(10):
        backoff.started(at)
        due = backoff.ended(at + 1)
        pauses.append(due - at - 1)
        at = due
    assert pauses[:3] == [SHORTEST, SHORTEST * 2, SHORTEST * 4]
    assert pauses == sorted(pauses)
    assert pauses[-1] == LONGEST
    backoff.started(at)
    assert backoff.ended(at + HEALTHY_SECONDS + 1) - (at + HEALTHY_SECONDS + 1) == SHORTEST


@pytest.fixture
def environment(open_folder: Path) -> dict[str, str]:
    state = open_folder / "state"
    state.mkdir(mode=0o700)
    return dict(os.environ) | {"PARACLOUD_STATE_FOLDER": str(state)}


def test_a_process_that_is_killed_is_started_again(environment: dict[str, str]) -> None:
    socket = Path(environment["PARACLOUD_STATE_FOLDER"]) / "authority.sock"
    with running(["authority"], environment) as [child]:
        wait_for(socket.exists)
        first = pid(child)
        psutil.Process(first).kill()
        wait_for(lambda: tended(child) and pid(child) != first)
        assert not child.has_ended
        second = pid(child)
    assert not psutil.pid_exists(second)


def test_what_never_starts_is_noticed_and_tried_again(environment: dict[str, str]) -> None:
    child = Child("no-such-word", environment)
    child.start()
    first = pid(child)
    wait_for(lambda: child.has_ended)
    wait_for(lambda: tended(child) and pid(child) != first)
    assert child.process is not None
    stop([child.process])


def tended(child: Child) -> bool:
    child.tend()
    return child.process is not None


def pid(child: Child) -> int:
    assert child.process is not None
    return child.process.pid


def wait_for(is_so) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not is_so():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)
