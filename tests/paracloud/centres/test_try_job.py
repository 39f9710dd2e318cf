"""A job on trial at a centre that never lets go of it: the real guard, over a Slurm that stands in."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from tests.paracloud.dialects.slurm.stand_in import StandIn
from tests.paracloud.jobs.world import EAST, StillClock

from paracloud.centres.survey import Finding, Level
from paracloud.centres.try_job import Trial, try_job
from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.local import LocalTransport

SQUEUE = """#!/bin/bash
between=${*: -1}; between=${between#*%r}; between=${between%%\\%*}
printf '41000|N/A|lent|%s|1780000000|1780000000|n1|None%spc-x\\n' "$(cat "$STAND_IN/state")" "$between"
"""
SCANCEL = """#!/bin/bash
echo "$@" >>"$STAND_IN/cancelled"
"""


class Hurried(StillClock):
    """Ten seconds pass in each that is slept: what listens for minutes is asked fewer times."""

    async def sleep(self, duration: timedelta) -> None:
        self.forward(10 * duration)


@dataclass
class Here:
    """One account's home, whoever asks for it."""

    transport: LocalTransport

    async def to(self, _centre: CentreName, _account: UnixAccount, *, purpose: str) -> LocalTransport:
        assert purpose
        return self.transport


class Stuck(StandIn):
    def programs(self) -> dict[str, str]:
        return super().programs() | {"squeue": SQUEUE, "scancel": SCANCEL}


@pytest.fixture
def stuck(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Stuck]:
    def opened(state: str) -> Stuck:
        made = Stuck(tmp_path)
        made.set("state", state)
        for name, value in (("PATH", f"{tmp_path}/bin:{os.environ['PATH']}"), ("HOME", str(made.home))):
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("STAND_IN", str(tmp_path))
        return made

    return opened


async def tried(centre: Stuck) -> tuple[list[Finding], timedelta]:
    """What came of it, and how long it took."""
    clock = Hurried()
    trial, began = Trial(EAST, UnixAccount("lent"), UnixAccount("watcher"), "cpu"), clock.now()
    found = await try_job(Here(LocalTransport(centre.home)), trial, SlurmDialect(), clock)
    return found, clock.now() - began


@pytest.mark.parametrize(
    ("state", "said", "least", "most"),
    [
        ("RUNNING", "It does not end on n1, long past its time limit, and was cancelled", 5, 6),
        ("PENDING", "It did not start within 120 s (PENDING) and was cancelled", 2, 3),
    ],
)
async def test_a_job_on_trial_that_never_ends_or_never_starts_is_cancelled_and_told_and_nothing_of_it_stays(
    stuck, state: str, said: str, least: int, most: int
) -> None:
    centre = stuck(state)
    found, took = await tried(centre)
    assert [(one.what, one.level) for one in found] == [("submission", Level.WELL), ("run", Level.MISSING)]
    assert found[-1].en.startswith(said)
    assert found[-1].zh
    assert timedelta(minutes=least) < took < timedelta(minutes=most)
    assert (centre.folder / "cancelled").read_text().split()[-1] == "41000"
    assert [*centre.home.glob("paracloud/*"), *centre.home.glob(".paracloud/jobs/*")] == []
