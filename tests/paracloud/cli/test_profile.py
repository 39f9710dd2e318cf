"""`paracloud profile`: what a job did, as `paramon show` and `top` have it, from wherever its user is."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from tests.paramon.made import Made
from tests.paramon.top.screen import ROOT, Screen

from paracloud.client.client import Client
from paracloud.client.profile_copy import ProfileCopy
from paracloud.jobs.profile import profile_folder
from paracloud.jobs.profile_folder import NODES_MOST
from paracloud.kit.identifiers import JobId, submit_tag
from paracloud.transports.local import LocalTransport
from paracloud.wire.profiles import ProfileFilesModel
from paramon.facts.running import STILL_SECONDS, is_being_written
from paramon.sample.profile import NodeProfile, open_profile

PROGRAM = Path(sys.executable).with_name("paracloud")
AT_CENTRE = "UPDATE jobs SET native_id = '7' WHERE id = CAST(:id AS uuid) RETURNING 1"
ENDED = (
    "UPDATE jobs SET state = 'failed', native_state = 'ACCOUNTED', exit_code = 3, ended_at = now() "
    "WHERE id = CAST(:id AS uuid) RETURNING 1"
)
KILLED = (
    "INSERT INTO job_tasks SELECT CAST(:id AS uuid), 1, '7.2', 0, 'timeout', 'KILLED', 0, 9, now(), now(), now(), 1, "
    "1, 'n1' RETURNING 1"
)


class Near:
    """One centre, that is this machine."""

    def __init__(self, home: Path) -> None:
        self._home = home

    async def to(self, *_, **__) -> LocalTransport:
        return LocalTransport(self._home)


class Watched:
    """A job at that centre, and what its collector writes."""

    def __init__(self, served, lin, home: Path, **changes: object) -> None:
        self.served = served
        served.house.app.state.deps = replace(served.house.app.state.deps, reach=Near(home))
        self.id = served.do(served.house.submit(lin, **changes))
        self.change(AT_CENTRE)
        self.folder = home / profile_folder(submit_tag(JobId(UUID(self.id)), 0), None)

    def change(self, query: str) -> None:
        self.served.do(self.served.house.one(query, id=self.id))

    def runs(self) -> Made:
        made = Made(self.folder, unavailable={"energy": ["no RAPL here", "没有 RAPL"]})
        made.comes(1, name="mpirun", command="mpirun ./a.out")
        made.comes(2, name="a.out", parent=1001, rank=0)
        for second in range(3):
            self.goes_on(made, second)
        return made

    @staticmethod
    def goes_on(made: Made, second: int) -> None:
        made.tick(second * 1000, {2: {"user_ticks": 90 * second, "rss_kib": 1 << 20}}, cpu__user_ticks=90 * second,
                  paramon__cpu_us=100)  # fmt: skip


@pytest.fixture
def watched(served, lin, tmp_path) -> Watched:
    return Watched(served, lin, tmp_path / "centre")


def test_a_job_is_told_of_while_it_runs_and_when_it_has_ended(terminal, lin, watched):
    made = watched.runs()
    text = terminal.say(lin, "profile", watched.id)
    for part in ("mpirun ./a.out", "1 node: n1", "still running", "1.80 s used, 22 % of its cores' 8.00 s",
                 "1002 r0 a.out", "not on this machine: energy meter (RAPL)", "it took 0.00 s of CPU"):  # fmt: skip
        assert part in text
    made.close(cpu_ticks_total=200, completeness=0.9, exit_code=3)
    text = terminal.say(lin, "profile", watched.id)
    assert "exit code 3" in text
    assert "the processes that it saw used 90.0 % of the job's CPU time" in text
    assert "采到的进程占作业 CPU 时间的 90.0 %" in terminal.say(lin, "profile", watched.id, language="zh_CN.UTF-8")
    told = json.loads(terminal.say(lin, "profile", watched.id, "--json"))
    assert (told["cpu_ms"], [one["name"] for one in told["processes"]]) == (2000, ["mpirun", "a.out"])


def test_a_profile_that_was_cut_off_at_the_centre_is_told_as_that(terminal, lin, watched):
    made = watched.runs()
    for path in (made.path, made.path + ".live"):
        os.utime(path, (1_600_000_000, 1_600_000_000))
    assert "cut off: no end was written" in terminal.say(lin, "profile", watched.id)
    watched.change(ENDED)
    assert "cut off" in terminal.say(lin, "profile", watched.id, "-f")


@pytest.mark.parametrize("options", [(), ("-f",)])
def test_how_a_job_ended_is_told_as_the_platform_knows_it_where_its_profile_has_no_end(terminal, lin, watched, options):
    watched.runs()
    if not options:
        text = terminal.say(lin, "profile", watched.id)
        assert ("still running" in text, "exit status" in text) == (True, False)
    watched.change(ENDED)
    assert "failed ACCOUNTED (exit status 3)" in terminal.say(lin, "profile", watched.id, *options)
    assert "失败 ACCOUNTED（退出码 3）" in terminal.say(lin, "profile", watched.id, *options, language="zh_CN.UTF-8")
    json.loads(terminal.say(lin, "profile", watched.id, *options, "--json"))


def test_of_a_task_its_own_end_is_told(terminal, lin, served, tmp_path):
    watched = Watched(served, lin, tmp_path / "centre", options={"array": "0-1"})
    watched.change(KILLED)
    for task in ("0", "1"):
        Made(watched.folder / task).close()
    assert "timeout KILLED (signal 9)" in terminal.say(lin, "profile", watched.id, "--task", "1")
    assert "KILLED" not in terminal.say(lin, "profile", watched.id, "--task", "0")


def test_what_is_kept_of_one_that_was_just_cut_off_says_so_and_when_it_was_written(terminal, lin, watched):
    made = watched.runs()
    began = time.time()
    watched.change(ENDED)
    assert "cut off" in terminal.say(lin, "profile", watched.id, "--save", "kept")
    kept = terminal.home / "kept"
    assert min(path.stat().st_mtime for path in kept.iterdir()) > began - 2 * STILL_SECONDS
    assert is_being_written(NodeProfile(made.path), made.at_ms), "at the centre nobody has dated anything"
    (node,) = open_profile(str(kept))
    assert not is_being_written(node, made.at_ms)


def test_what_has_an_end_keeps_its_date(terminal, lin, watched):
    made = watched.runs()
    made.close()
    watched.change(ENDED)
    terminal.say(lin, "profile", watched.id, "--save", "kept")
    (path,) = (terminal.home / "kept").iterdir()
    assert abs(path.stat().st_mtime - Path(made.path).stat().st_mtime) < 2, "SFTP has whole seconds"


def test_what_is_kept_is_the_same_to_the_byte_and_paramon_opens_it(terminal, lin, watched):
    made = watched.runs()
    made.minute()
    watched.goes_on(made, 60)
    assert "Kept in" in terminal.say(lin, "profile", watched.id, "--save", "kept")
    kept = terminal.home / "kept"
    assert {one.name: one.read_bytes() for one in kept.iterdir()} == {
        one.name: one.read_bytes() for one in watched.folder.iterdir()
    }
    known = {"PYTHONPATH": str(ROOT / "src")}
    argv = [sys.executable, "-m", "paramon", "export", "--csv", str(kept)]
    done = subprocess.run(argv, env=known, capture_output=True, text=True, check=True)
    assert done.stdout.count("\n") == 7
    again = terminal.run(lin, "profile", watched.id, "--save", "kept", language="zh_CN.UTF-8")
    assert (again.returncode, "请指定一个新目录" in again.stderr) == (2, True)


def test_who_follows_sees_it_grow_until_it_ends(terminal, lin, watched):
    made = watched.runs()
    environment = {"PARACLOUD_URL": terminal.url, "PARACLOUD_TOKEN": lin.token, "HOME": str(terminal.home)}
    with Screen(watched.id, "-f", program=(str(PROGRAM), "profile"), **environment) as screen:
        screen.until("● LIVE", "+2.00 s", "./a.out")
        watched.goes_on(made, 3)
        made.minute()
        watched.goes_on(made, 4)
        screen.until("+4.00 s")
        made.close(exit_code=5)
        screen.until("■ ended, exit code 5")
        screen.press("\x1b[D")
        screen.until("paused", "of 4.00 s")
        screen.press("q")
        assert screen.ended() == 0


def test_a_pipe_gets_pages_until_the_end_and_programs_get_it_whole(terminal, lin, watched):
    made = watched.runs()
    made.close(exit_code=5)
    watched.change(ENDED)
    assert "■ ended, exit code 5" in terminal.say(lin, "profile", watched.id, "--follow")
    assert (
        json.loads(terminal.say(lin, "profile", watched.id, "--follow", "--json"))["nodes"][0]["end"]["exit_code"] == 5
    )


def test_of_a_job_without_one_it_says_why(terminal, lin, watched):
    done = terminal.run(lin, "profile", watched.id)
    assert (done.returncode, "--no-monitor" in done.stderr) == (4, True)
    assert "less than 256 MiB" in " ".join(done.stderr.split())
    watched.change(ENDED)
    assert terminal.run(lin, "profile", watched.id, "-f").returncode == 4
    Made(watched.folder).close()
    (file,) = watched.folder.iterdir()
    file.write_bytes(b"")
    done = terminal.run(lin, "profile", watched.id)
    assert (done.returncode, "ask again" in done.stderr) == (4, True)


def test_of_a_job_of_many_nodes_all_are_shown_and_kept_up_with(terminal, lin, watched):
    nodes = [f"n{number:02}" for number in range(2 * NODES_MOST + 1)]
    made = [Made(watched.folder, node=node) for node in nodes]
    for one in made:
        one.comes(1)
        one.tick(0)
    told = json.loads(terminal.say(lin, "profile", watched.id, "--json"))
    assert sorted(node["header"]["node"] for node in told["nodes"]) == nodes


class Counting(Client):
    """How many bytes of each file it was given."""

    def __init__(self, *known) -> None:
        super().__init__(*known)
        self.given = Counter[str]()

    def profile_files(self, *which, **more):
        found = super().profile_files(*which, **more)
        for one in found.files:
            self.given[one.file] += len(one.written.content)
        return found


def test_a_file_that_comes_between_others_has_none_of_them_read_again(terminal, lin, watched, tmp_path):
    def comes(node: str) -> None:
        one = Made(watched.folder, node=node)
        one.comes(1)
        one.tick(0)
        one.close()

    def is_same() -> bool:
        here, there = (
            {one.name: one.read_bytes() for one in at.iterdir()} for at in (tmp_path / "here", watched.folder)
        )
        return here == there

    (tmp_path / "here").mkdir()
    for number in range(2 * NODES_MOST + 1):
        comes(f"n{number:02}")
    with Counting(terminal.url, lin.token) as client:
        copy = ProfileCopy(client, UUID(watched.id), tmp_path / "here")
        copy.look()
        assert is_same()
        assert len(client.given) == 2 * NODES_MOST + 1
        for node in ("a", "n00a", "n40a", "z"):
            comes(node)
            client.given.clear()
            copy.look()
            assert is_same()
            assert [name.partition("-")[0] for name, size in client.given.items() if size] == [node]


class Pages(Client):
    """A server of so many files, of which it gives two at a time; each has a byte more at each question."""

    def __init__(self, names: list[str]) -> None:
        super().__init__("http://127.0.0.1:1", "t")
        self.names, self.asked = names, []

    def profile_files(self, job, *, since="", task=None, after="", until=""):
        self.asked.append((after, since))
        there = [name for name in self.names if name > after and (not until or name <= until)]
        start = int(since or 0)
        one = {"open_minute": {"start": 0, "content": ""}, "written_at": "2026-01-01T00:00:00Z", "is_behind": False,
               "written": {"start": start, "content": "eA=="}}  # fmt: skip
        tree = {"files": [{"file": name, **one} for name in there[:2]], "cursor": str(start + 1),
                "left_out": max(len(there) - 2, 0)}  # fmt: skip
        return ProfileFilesModel.model_validate(tree)


def test_each_part_of_many_files_is_asked_for_with_its_own_cursor(tmp_path):
    with Pages([f"{name}.paramon" for name in "abcde"]) as client:
        copy = ProfileCopy(client, UUID(int=0), tmp_path)
        copy.look()
        copy.look()
        starts = ("", "b.paramon", "d.paramon")
        assert client.asked == [(after, since) for since in ("", "1") for after in starts]
    assert {one.name: one.read_bytes() for one in tmp_path.iterdir()} == dict.fromkeys(client.names, b"xx")


def test_a_name_at_the_centre_leads_nowhere_else(tmp_path):
    class Hostile(Client):
        def profile_files(self, *_, **__):
            piece = {"start": 0, "content": "eA=="}
            one = {"written": piece, "open_minute": piece, "written_at": "2026-01-01T00:00:00Z", "is_behind": False}
            names = ["../out.paramon", "/tmp/out.paramon", "in.paramon"]
            tree = {"files": [{"file": name, **one} for name in names], "cursor": "", "left_out": 0}
            return ProfileFilesModel.model_validate(tree)

    (tmp_path / "here").mkdir()
    with Hostile("http://127.0.0.1:1", "t") as client:
        ProfileCopy(client, UUID(int=0), tmp_path / "here").look()
    assert sorted(str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*.*")) == [
        "here/in.paramon", "here/in.paramon.live",
    ]  # fmt: skip
