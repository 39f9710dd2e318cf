"""The sensors that this machine has; of the others, why not."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from paramon.perf.job import node_counters
from paramon.sensors.aside import Aside
from paramon.sensors.cgroup import Cgroup
from paramon.sensors.cores import Cores
from paramon.sensors.cpu import Cpu
from paramon.sensors.disks import Disks
from paramon.sensors.energy import Energy
from paramon.sensors.frequency import Frequency
from paramon.sensors.gpu import gpus
from paramon.sensors.infiniband import InfiniBand
from paramon.sensors.lustre import Lustre
from paramon.sensors.memory import Memory
from paramon.sensors.network import Network
from paramon.sensors.nfs import Nfs
from paramon.sensors.power import Power
from paramon.sensors.pressure import Pressure
from paramon.sensors.seldom import Seldom
from paramon.sensors.sensor import Noted, Sensor

MAKERS: Sequence[tuple[str, Callable[[], Sensor]]] = (
    ("cpu", Cpu),
    ("cores", Cores),
    ("memory", Memory),
    ("pressure", Pressure),
    ("frequency", Frequency),
    ("energy", Energy),
    ("power", Power),
    ("network", Network),
    ("infiniband", InfiniBand),
    ("disk", Disks),
    ("nfs", Nfs),
    ("lustre", Lustre),
    ("gpu", gpus),
    ("cgroup", Cgroup),
    ("node_counter", node_counters),
)


def sensors_here() -> tuple[list[Sensor], dict[str, tuple[str, str]]]:
    """Those that are dear to read here are read less often; one that is asked aside goes by its own pace."""
    found: list[Sensor] = []
    unavailable: dict[str, tuple[str, str]] = {}
    for name, make in MAKERS:
        with Noted(name, unavailable):
            sensor = make()
            found.append(sensor if isinstance(sensor, Aside) else Seldom(sensor))
    return found, unavailable
