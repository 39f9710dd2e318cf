"""What the kernel's events tell of a job: how its ranks spend their time, and what its processes count."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from paramon.perf.device import core_pmu
from paramon.perf.mpi import Mpi
from paramon.perf.yama import why_unseen
from paramon.sample.profile import Process
from paramon.sensors.seldom import Seldom
from paramon.sensors.sensor import Noted, Sensor, Unavailable

if TYPE_CHECKING:
    from paramon.perf.adopted import Adopted

AUTO, OFF = "auto", "off"
SLEEP = "mpi_sleep"
"""What of a rank's time is seen apart from the rest."""
Follower = Callable[[Sequence[Process]], None]
"""It is told of the job's processes as they come."""


def job_sensors(
    period: float, mpi: str, unavailable: dict[str, tuple[str, str]], *, is_attached: bool, proc: str = "/proc"
) -> tuple[list[Sensor], list[Follower]]:
    """`period`: seconds between two reads. `mpi`: AUTO or OFF. `is_attached`: the job runs already. What cannot be had
    is noted in `unavailable`."""
    found: list[Sensor] = []
    followers: list[Follower] = []
    with Noted("counter", unavailable):
        if is_attached:
            adopted, of_all = _adopted()
            found += [Seldom(adopted), of_all]
            followers.append(adopted.came)
        else:
            found.append(_counters())
    with Noted(Mpi.name, unavailable):
        ranks = _ranks(period, mpi)
        found.append(ranks)
        followers.append(ranks.came)
        unseen = why_unseen(is_attached=is_attached, proc=proc)
        if unseen is not None:
            unavailable[SLEEP] = unseen
    return found, followers


def _counters() -> Sensor:
    core_pmu()
    from paramon.perf.counters import job_counters  # 0.2 MiB with its tables of events: not where nothing counts

    return job_counters()


def _adopted() -> tuple[Adopted, Sensor]:
    core_pmu()
    from paramon.perf.adopted import Adopted, OfAll  # as above
    from paramon.perf.counters import core_groups

    adopted = Adopted(core_groups())
    return adopted, OfAll(adopted)


def node_counters() -> Sensor:
    """Of what the node's processors share. Unavailable with the cause."""
    core_pmu()
    from paramon.perf.counters import node_counters as shared  # as above

    return shared()


def _ranks(period: float, mpi: str) -> Mpi:
    if mpi == OFF:
        raise Unavailable("switched off with --mpi off", "已用 --mpi off 关闭")
    return Mpi(period)
