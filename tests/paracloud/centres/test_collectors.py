"""The collector is laid into an account once, whole, and its absence stops no job."""

from collections.abc import Callable
from pathlib import Path

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


def laid(folder: Path) -> dict[str, bytes]:
    return {one.name: one.read_bytes() for one in (folder / COLLECTORS).iterdir()}


async def test_it_is_laid_once_and_found_by_the_next_process(tmp_path):
    home = Home(tmp_path)
    first = Collectors(home, lambda: b"collector")
    name = await first.lay(EAST, ACCOUNT)
    assert laid(tmp_path) == {name: b"collector"}
    assert await first.lay(EAST, ACCOUNT) == name
    assert home.visits == 1
    before = (tmp_path / COLLECTORS / name).stat().st_ino
    assert await Collectors(home, lambda: b"collector").lay(EAST, ACCOUNT) == name
    assert (tmp_path / COLLECTORS / name).stat().st_ino == before


async def test_another_version_lies_beside_it_and_one_that_was_cut_off_is_laid_again(tmp_path):
    old = await Collectors(Home(tmp_path), lambda: b"old").lay(EAST, ACCOUNT)
    new = await Collectors(Home(tmp_path), lambda: b"newer").lay(EAST, ACCOUNT)
    assert laid(tmp_path) == {old: b"old", new: b"newer"}
    (tmp_path / COLLECTORS / new).write_bytes(b"ne")
    assert await Collectors(Home(tmp_path), lambda: b"newer").lay(EAST, ACCOUNT) == new
    assert laid(tmp_path)[new] == b"newer"


async def test_where_it_cannot_be_laid_jobs_run_without_and_it_is_tried_again(tmp_path):
    def fails() -> None:
        raise Unreachable("The centre is gone.", "中心不可达。")

    home = Home(tmp_path, fails)
    collectors = Collectors(home, lambda: b"collector")
    assert await collectors.lay(EAST, ACCOUNT) == ""
    home.before = lambda: None
    assert await collectors.lay(EAST, ACCOUNT) != ""
