"""The agent's own profile has a file a day, and of those the last ones."""

import os
import shutil
import stat
import time
from pathlib import Path

import pytest
from tests.paramon.made import STARTED_MS, Made

from paramon.agent.command import Node, Wanted
from paramon.agent.days import COMMAND, forget_before
from paramon.facts.job import JobFacts
from paramon.facts.runs import newest_run
from paramon.sample.profile import LIVE, open_profile


def look(node: Node) -> None:
    time.sleep(node.wait_seconds())
    node.look_if_due()


def test_a_new_day_has_a_file_that_stands_for_itself(tmp_path):
    node = Node(Wanted("", str(tmp_path), period=0.1, budget=1.0))
    node._recorder._began -= 1000.0  # it has run for a while
    node._recorder._began_awake -= 1000.0
    look(node)
    look(node)
    node._day -= 1
    look(node)  # its last
    look(node)
    look(node)
    node.close()
    first, second = open_profile(str(tmp_path))
    ((before,), (chunk,)) = (list(one.chunks()) for one in (first, second))
    assert chunk.ticks[0] < 500_000 < before.ticks[0], "since its own start"
    assert len(chunk.ticks) == 3
    assert set(chunk.rows) <= set(second.processes), "it knows who was there before it"
    assert os.getppid() in {one.pid for one in second.processes.values()}
    assert (len(before.ticks), first.end["wall_ms"]) == (3, before.ticks[-1])
    (day,) = JobFacts([second]).nodes
    assert day.cpu_ms <= day.wall_ms * day.cores, "what was used before is none of its"


def modes(folder: Path) -> dict[str, int]:
    return {path.suffix: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}


def test_what_all_users_run_is_told_to_nobody_else_not_even_in_a_folder_that_was_taken_away(tmp_path):
    folder = tmp_path / "profile"
    before = os.umask(0)
    try:
        node = Node(Wanted("", str(folder), period=0.1, budget=1.0))
        look(node)
        assert modes(folder) == {"": 0o700, ".paramon": 0o600, ".live": 0o600}
        shutil.rmtree(folder)
        node._recorder.end_minute()
        assert modes(folder) == {"": 0o700, ".paramon": 0o600, ".live": 0o600}
        node.close()
        Made(tmp_path / "job").tick(0)
    finally:
        os.umask(before)
    assert modes(tmp_path / "job") == {"": 0o755, ".paramon": 0o644, ".live": 0o644}, "as its user's umask has it"


def test_where_no_new_file_can_be_begun_the_old_one_goes_on(tmp_path):
    folder = tmp_path / "profile"
    node = Node(Wanted("", str(folder), period=0.1, budget=1.0))
    look(node)
    folder.rename(tmp_path / "moved")
    folder.write_text("in the way")
    node._day -= 1
    look(node)
    look(node)
    folder.unlink()
    (tmp_path / "moved").rename(folder)
    look(node)
    node.close()
    first, second = open_profile(str(folder))
    assert newest_run([first, second]) == [second], "once it can be, and then it is another run"


@pytest.mark.timeout(30)  # who opens a pipe waits for its other end
def test_what_is_old_goes_and_what_is_somebodys_stays(tmp_path):
    days_old = {"old": 8, "young": 6}
    for number, (age, command, node) in enumerate(
        [("old", COMMAND, "n1"), ("young", COMMAND, "n1"), ("old", ["./a.out"], "n1"), ("old", COMMAND, "n2")]
    ):
        made = Made(tmp_path, node=node, started_ms=STARTED_MS + number, command=command)
        made.tick(0)
        made.close()
        Path(made.path + LIVE).touch()  # as where it was killed
        os.utime(made.path, (time.time() - days_old[age] * 86_400,) * 2)
    for name, content in (("notes.paramon", b"mine"), ("empty.paramon", b""), ("notes.txt", b"mine")):
        (tmp_path / name).write_bytes(content)
        os.utime(tmp_path / name, (1, 1))
    os.mkfifo(tmp_path / "pipe.paramon")
    os.utime(tmp_path / "pipe.paramon", (1, 1))
    assert forget_before(str(tmp_path), "n1", 7) == [f"n1-{STARTED_MS}.paramon"]
    left = {path.name for path in tmp_path.iterdir()}
    assert len(left) == 3 * 2 + 4
    assert f"n1-{STARTED_MS}.paramon.live" not in left
