"""The collector is laid into an account once, whole, and again where it was deleted; its absence stops no job."""

import os
import shutil
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from tests.paracloud.jobs.world import StillClock

from paracloud.centres.collectors import Collectors
from paracloud.dialects.monitor import COLLECTORS
from paracloud.kit.errors import Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.local import LocalTransport

EAST, ACCOUNT = CentreName("east"), UnixAccount("pc01")


class Home:
    """One account's way to a folder on this machine."""

    def __init__(self, folder: Path, before: Callable[[], None] = lambda: None) -> None:
        self.folder, self.before, self.visits = folder, before, 0

    async def to(self, centre, account, *, purpose):
        self.visits += 1
        self.before()
        return LocalTransport(self.folder)


def collectors(home: Home, content: bytes = b"collector", clock: StillClock | None = None) -> Collectors:
    return Collectors(home, lambda: content, clock or StillClock())


def laid(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (folder / COLLECTORS).iterdir()}


async def test_it_is_laid_once_and_found_by_the_next_process(tmp_path):
    home = Home(tmp_path)
    first = collectors(home)
    name = await first.lay(EAST, ACCOUNT)
    assert laid(tmp_path) == {name: b"collector"}
    assert await first.lay(EAST, ACCOUNT) == name
    assert home.visits == 1
    before = (tmp_path / COLLECTORS / name).stat().st_ino
    assert await collectors(home).lay(EAST, ACCOUNT) == name
    assert (tmp_path / COLLECTORS / name).stat().st_ino == before


async def test_another_version_lies_beside_it_and_one_that_was_cut_off_is_laid_again(tmp_path):
    old = await collectors(Home(tmp_path), b"old").lay(EAST, ACCOUNT)
    new = await collectors(Home(tmp_path), b"newer").lay(EAST, ACCOUNT)
    assert laid(tmp_path) == {old: b"old", new: b"newer"}
    (tmp_path / COLLECTORS / new).write_bytes(b"ne")
    assert await collectors(Home(tmp_path), b"newer").lay(EAST, ACCOUNT) == new
    assert laid(tmp_path)[new] == b"newer"


async def test_where_it_cannot_be_laid_jobs_run_without_and_it_is_tried_again(tmp_path):
    def fails() -> None:
        raise Unreachable("The centre is gone.", "中心不可达。")

    home = Home(tmp_path, fails)
    clock = StillClock()
    ours = collectors(home, clock=clock)
    assert await ours.lay(EAST, ACCOUNT) == ""
    home.before = lambda: None
    name = await ours.lay(EAST, ACCOUNT)
    assert name != ""
    home.before = fails
    clock.forward(timedelta(days=1))
    assert await ours.lay(EAST, ACCOUNT) == name  # it was there: the job itself finds out


async def test_who_deletes_it_has_it_again_after_a_while(tmp_path):
    home, clock = Home(tmp_path), StillClock()
    ours = collectors(home, clock=clock)
    name = await ours.lay(EAST, ACCOUNT)
    shutil.rmtree(tmp_path / COLLECTORS)
    clock.forward(timedelta(minutes=59))
    assert await ours.lay(EAST, ACCOUNT) == name
    assert home.visits == 1
    clock.forward(timedelta(minutes=1))
    assert await ours.lay(EAST, ACCOUNT) == name
    assert laid(tmp_path) == {name: b"collector"}


async def test_versions_that_were_replaced_long_ago_are_taken_away_and_nothing_else(tmp_path):
    clock, folder = StillClock(), tmp_path / COLLECTORS
    old = await collectors(Home(tmp_path), b"old").lay(EAST, ACCOUNT)
    ours = collectors(Home(tmp_path), b"newer", clock)
    new = await ours.lay(EAST, ACCOUNT)
    later = await collectors(Home(tmp_path), b"of another server").lay(EAST, ACCOUNT)
    (folder / "mine.pyz").write_text("")
    for name, days in ((old, 90), ("mine.pyz", 90), (new, 59), (later, 58)):
        at = (clock.at - timedelta(days=days)).timestamp()
        os.utime(folder / name, (at, at))
    clock.forward(timedelta(hours=1))
    assert await ours.lay(EAST, ACCOUNT) == new
    assert old in laid(tmp_path)  # a job may have waited with it until now
    clock.forward(timedelta(days=1))
    assert await ours.lay(EAST, ACCOUNT) == new
    assert set(laid(tmp_path)) == {new, later, "mine.pyz"}
