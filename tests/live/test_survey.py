"""A real centre looked at before it is connected: what is there, what is missing and what to do, and a job on trial."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import asyncssh
import pytest
from tests.live.logins import until

from paracloud.centres.survey import Level, Survey
from paracloud.centres.survey_centre import Lent, survey_centre
from paracloud.centres.try_job import Trial, try_job
from paracloud.dialects.registry import DIALECTS, dialect_named
from paracloud.kit.clock import SystemClock
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.authority import Authority
from paracloud.transports.scout import Scout, fingerprint
from paracloud.transports.serials import open_serials
from paracloud.transports.signing import Wanted
from paracloud.transports.ssh import Address
from paralab.running import RunningCentre, RunningLab

pytestmark = pytest.mark.live
CLOCK = SystemClock()
ALL = {name: partial(dialect_named, name) for name in DIALECTS}


class OwnSigner:
    """The authority itself, without its process."""

    def __init__(self, authority: Authority) -> None:
        self._authority = authority

    async def sign(self, wanted: Wanted) -> str:
        return self._authority.sign(wanted.public_key, wanted.principal, wanted.key_id)


@pytest.fixture(scope="module")
def east(lab: RunningLab) -> RunningCentre:
    return lab.centres["east"]


@pytest.fixture(scope="module")
def grid(lab: RunningLab) -> RunningCentre:
    return lab.centres["grid"]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    folder = tmp_path_factory.mktemp("authority")
    opened = Authority(asyncssh.generate_private_key("ssh-ed25519"), open_serials(folder / "serial"))
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def scout(east: RunningCentre, grid: RunningCentre, authority: Authority) -> Iterator[Scout]:
    """It may log in at both centres, while these tests run."""
    before = {one.name: (one.site.folder / "ssh/trusted.pub").read_text() for one in (east, grid)}
    for one in (east, grid):
        one.trust(before[one.name] + authority.public_key + "\n")
    yield Scout(OwnSigner(authority), CLOCK)
    for one in (east, grid):
        one.trust(before[one.name])


def lent(centre: RunningCentre, *accounts: str) -> Lent:
    return Lent(UnixAccount(centre.service_account), [UnixAccount(one) for one in accounts or centre.pool[:4]])


async def surveyed(scout: Scout, centre: RunningCentre, asked: Lent | None = None, **way) -> Survey:
    address = Address(centre.host, way.get("port", centre.port), way.get("host_key", centre.host_key))
    async with scout.reach(address) as reach:
        return await survey_centre(
            reach, CentreName("east"), asked or lent(centre), ALL, trust="ssh-ed25519 AAAA ours", clock=CLOCK
        )


def wrong(found: Survey) -> list[tuple[str, Level]]:
    return [(one.what, one.level) for one in found.findings if one.level is not Level.WELL]


def home(centre: RunningCentre, account: str) -> Path:
    return centre.site.folder / "home" / account


@contextmanager
def mode(path: Path, bits: int) -> Iterator[None]:
    before = path.stat().st_mode & 0o777
    path.chmod(bits)
    try:
        yield
    finally:
        path.chmod(before)


async def test_the_key_that_a_machine_shows_is_the_one_that_it_has(scout, east):
    assert await scout.host_key(east.host, east.port) == " ".join(east.host_key.split()[:2])
    assert fingerprint(east.host_key).startswith("SHA256:")
    with pytest.raises(Invalid, match="port 1"):
        await scout.host_key("127.0.0.1", 1)


async def test_a_whole_centre_is_fit_and_known(scout, east):
    found = await surveyed(scout, east)
    assert (wrong(found), found.is_fit) == ([], True)
    assert (found.dialect, (found.version or "").split()[0]) == ("slurm", "Slurm")
    assert found.time_zone
    assert found.clock_ahead is not None
    assert abs(found.clock_ahead.total_seconds()) < 5
    assert {one.name for one in found.queues} == {"cpu", "debug", "gpu"}
    assert [(one.nodes, one.cores, one.gpus, one.queues) for one in found.node_types] == [
        (4, 32, 0, ("cpu",)), (1, 16, 0, ("debug",)), (1, 32, 4, ("gpu",)),
    ]  # fmt: skip


async def test_looking_leaves_nothing_behind(scout, east):
    before = sorted(path.name for path in home(east, east.pool[0]).iterdir())
    await surveyed(scout, east)
    assert sorted(path.name for path in home(east, east.pool[0]).iterdir()) == before


async def test_who_does_not_trust_us_is_told_the_very_line(scout, east):
    trusted = (east.site.folder / "ssh/trusted.pub").read_text()
    east.trust("")
    try:
        found = await surveyed(scout, east)
    finally:
        east.trust(trusted)
    assert (wrong(found), found.is_fit) == ([("login", Level.MISSING)], False)
    assert f'cert-authority,principals="{east.service_account}" ssh-ed25519 AAAA ours' in found.findings[0].en


async def test_a_machine_with_another_key_is_sent_nothing(scout, east):
    another = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
    found = await surveyed(scout, east, host_key=another)
    assert wrong(found) == [("login", Level.MISSING)]
    assert "pinned" in found.findings[0].en


async def test_an_account_that_does_not_exist_is_named_and_the_others_count(scout, east):
    found = await surveyed(scout, east, lent(east, "nobodys01", *east.pool[:2]))
    assert ("login", Level.MISSING) in wrong(found)
    said = [one.en for one in found.findings if one.what in ("login", "accounts")]
    assert any("nobodys01" in text for text in said)
    assert any("2 of 3" in text for text in said)


async def test_an_open_home_is_advice_and_a_closed_file_system_is_missing(scout, east):
    with mode(home(east, east.pool[1]), 0o755):
        found = await surveyed(scout, east)
    assert (wrong(found), found.is_fit) == ([("homes", Level.ADVICE)], True)
    with mode(home(east, east.pool[1]), 0o500):
        found = await surveyed(scout, east)
    assert (wrong(found), found.is_fit) == ([("homes", Level.MISSING)], False)


async def test_without_a_scheduler_on_the_path_the_rest_is_told_all_the_same(scout, east):
    address = Address(east.host, east.port, east.host_key)
    async with scout.reach(address) as reach:
        found = await survey_centre(reach, CentreName("east"), lent(east), {}, trust="", clock=CLOCK)
    assert wrong(found) == [("scheduler", Level.MISSING)]
    assert any(one.what == "accounts" for one in found.findings)


async def tried(
    scout: Scout, centre: RunningCentre, queue: str, *, by: int = 2, dialect: str = "slurm"
) -> list[tuple[str, Level]]:
    account, service = UnixAccount(centre.pool[by]), UnixAccount(centre.service_account)
    trial = Trial(CentreName("east"), account, service, queue)
    async with scout.reach(Address(centre.host, centre.port, centre.host_key)) as reach:
        return [(one.what, one.level) for one in await try_job(reach, trial, dialect_named(dialect), CLOCK)]


async def test_a_job_on_trial_goes_all_the_way_and_leaves_nothing(scout, east):
    own = home(east, east.pool[2])
    before = sorted(own.rglob("*"))
    assert await tried(scout, east, "debug") == [
        ("submission", Level.WELL), ("queue listing", Level.WELL), ("accounting", Level.WELL), ("output", Level.WELL),
    ]  # fmt: skip
    assert sorted(own.rglob("*")) == before


async def test_a_queue_that_refuses_is_told_in_the_schedulers_own_words(scout, east):
    assert await tried(scout, east, "no-such-queue") == [("submission", Level.MISSING)]


@contextmanager
def instead(centre: RunningCentre, name: str, program: str) -> Iterator[None]:
    """This program stands before the real one on everybody's PATH there, and nowhere else."""
    folder = centre.site.folder / "log/instead"
    folder.mkdir()
    (folder / name).write_text(program)
    (folder / name).chmod(0o755)
    assert centre.exec(["mount", "--bind", str(folder), "/usr/local/bin"]).returncode == 0
    try:
        yield
    finally:
        assert centre.exec(["umount", "/usr/local/bin"]).returncode == 0
        shutil.rmtree(folder)


def queued(centre: RunningCentre, account: str) -> str:
    return centre.exec(["squeue", "-h", "-u", account, "-t", "pending,running,completing"]).stdout


async def test_a_job_whose_submission_was_not_answered_is_found_and_ended(scout, east):
    """Held, it does not end by itself before it is found."""
    hand_in = 'exec /usr/bin/sbatch --hold "$@"'
    late = f"#!/bin/sh\n(sleep 4; {hand_in}) >$HOME/late 2>&1 &\necho 'Socket timed out' >&2\nexit 1\n"
    with instead(east, "sbatch", late):
        assert await tried(scout, east, "debug", by=3) == [("submission", Level.MISSING)]
    own = home(east, east.pool[3])
    assert (queued(east, east.pool[3]), [*own.glob("paracloud/*"), *own.glob(".paracloud/jobs/*")]) == ("", [])
    accounted = ["sacct", "-X", "-n", "-P", "-o", "State", "-j", (own / "late").read_text().strip()]
    until(lambda: "CANCELLED" in east.exec(accounted).stdout, "accounting to tell of its end")


async def test_a_home_that_cannot_be_written_to_fails_the_trial(scout, east):
    with mode(home(east, east.pool[5]), 0o500):
        assert (await tried(scout, east, "debug", by=5))[0] == ("submission", Level.MISSING)


async def test_another_scheduler_is_known_by_its_answer_and_runs_a_job_as_well(scout, grid):
    found = await surveyed(scout, grid, lent(grid, *grid.pool))
    assert (wrong(found), found.dialect) == ([], "gridengine")
    assert {one.name for one in found.queues} == {"cpu", "gpu"}
    assert [(one.nodes, one.cores, one.gpus, one.queues) for one in found.node_types] == [
        (2, 8, 0, ("cpu",)), (1, 8, 2, ("gpu",)),
    ]  # fmt: skip
    assert await tried(scout, grid, "cpu", by=0, dialect="gridengine") == [
        ("submission", Level.WELL), ("queue listing", Level.WELL), ("accounting", Level.WELL), ("output", Level.WELL),
    ]  # fmt: skip
