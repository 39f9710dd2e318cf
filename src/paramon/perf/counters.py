"""Hardware counters: of the job's processes, and of what the node's processors share.

Series, all of them since the start: `counter.cycles`, `counter.instructions`, … of all that descends from this
process, the collector itself included (of what runs already: `paramon.perf.adopted`); `node_counter.dram_read_lines`
and so on of the node, whoever causes it. Where groups take turns, what is written is scaled up, and
`….running_permille` says of how much of the time it was really counted, at worst: 0 where a group never ran, whose
series are then missing. What is made of them is `paramon.perf.derive`'s.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from paramon.perf.call import EXCLUDE_HYPERVISOR, EXCLUDE_KERNEL, INHERIT, Event, Scope
from paramon.perf.device import DEVICES, core_pmu, devices
from paramon.perf.events import TABLE, Known, Shared
from paramon.perf.group import Group
from paramon.perf.processor import generation, processor
from paramon.sensors.sensor import Unavailable

CPUINFO = "/proc/cpuinfo"
OWN = Scope(0)
"""This process; with INHERIT, and all that it starts from now on."""
PATIENCE_NS = 1_000_000_000
"""Groups that take turns have all had theirs by then."""


class Place(NamedTuple):
    """Where a group is, and what of: `names` in the order of its events."""

    names: tuple[str, ...]
    group: Group


class Counters:
    """Values of the same name are added; there is none where one of them is not known."""

    def __init__(self, name: str, places: Sequence[Place]) -> None:
        self.name, self._places = name, places
        self.waited_ns = 0
        """The longest that any of them had waited at the last read, of those that never ran."""

    def read(self) -> dict[str, int]:
        sums: dict[str, int] = {}
        unknown: set[str] = set()
        worst = 1000
        self.waited_ns = 0
        for names, group in self._places:
            counted = group.read()
            if counted.enabled_ns:
                worst = min(worst, counted.running_ns * 1000 // counted.enabled_ns)
            if counted.never_ran:
                unknown.update(names)
                self.waited_ns = max(self.waited_ns, counted.enabled_ns)
            for name, value in zip(names, counted.values):
                sums[name] = sums.get(name, 0) + value
        known = {name: value for name, value in sums.items() if name not in unknown}
        return {f"{self.name}.{name}": value for name, value in {**known, "running_permille": worst}.items()}

    def close(self) -> None:
        for place in self._places:
            place.group.close()


class Alone(Counters):
    """Counters by themselves."""

    def read(self) -> dict[str, int]:
        """Unavailable for as long as none of them has ever run."""
        return once_ran(super().read(), self.waited_ns)


def once_ran(found: dict[str, int], waited_ns: int) -> dict[str, int]:
    """What was counted; nothing where there is none of it yet, and Unavailable when that has been so for too long."""
    if any(not name.endswith(".running_permille") for name in found):
        return found
    if waited_ns < PATIENCE_NS:
        return {}
    raise Unavailable(
        "its events never came to run: others hold the processor's counters (kernel.nmi_watchdog takes one)",
        "事件始终未能计数：处理器计数器被其他程序占用（kernel.nmi_watchdog 占用一个）",
    )


def job_counters(root: str = DEVICES, cpuinfo: str = CPUINFO) -> Alone:
    """To be made before the job is started: who is there already is not counted. Unavailable with the cause."""
    return Alone("counter", counting(core_groups(root, cpuinfo), OWN, INHERIT))


def core_groups(root: str = DEVICES, cpuinfo: str = CPUINFO) -> list[dict[str, Event]]:
    """What a core of this machine is asked to count, by name. Unavailable with the cause."""
    core = core_pmu(root)
    return [{name: core.event(terms) for name, terms in group.items()} for group in _known(cpuinfo).core]


def node_counters(root: str = DEVICES, cpuinfo: str = CPUINFO) -> Alone:
    """Of memory controllers and shared caches. Unavailable where they are not there, or not for this user: they do not
    know whose data they move."""
    core_pmu(root)
    places: list[Place] = []
    try:
        for choice in _known(cpuinfo).shared:
            _count_shared(choice, root, places)
    except Unavailable:
        Alone("node_counter", places).close()
        raise
    if not places:
        raise Unavailable("the kernel shows no memory controllers that count", "内核未提供内存控制器计数器")
    return Alone("node_counter", places)


def counting(groups: Sequence[dict[str, Event]], scope: Scope, flags: int) -> list[Place]:
    """Groups that cannot be had are left out; Unavailable where none can, ProcessLookupError where the thread is gone.
    The kernel's part is counted where that is allowed."""
    places: list[Place] = []
    why: Unavailable | OSError | None = None
    for group in groups:
        try:
            places.append(Place(tuple(group), _opened(tuple(group.values()), scope, flags)))
        except (Unavailable, OSError) as wrong:
            why = wrong
    if places or why is None:
        return places
    if isinstance(why, OSError) and not isinstance(why, ProcessLookupError):
        raise Unavailable(str(why.strerror), str(why.strerror))
    raise why


def _opened(events: Sequence[Event], scope: Scope, flags: int) -> Group:
    try:
        return Group(events, scope, flags | EXCLUDE_HYPERVISOR)
    except Unavailable:
        return Group(events, scope, flags | EXCLUDE_HYPERVISOR | EXCLUDE_KERNEL)


def _count_shared(choice: Sequence[Shared], root: str, places: list[Place]) -> None:
    """Of the first of them that is here. Each event stands alone: there are more channels than registers."""
    for one in choice:
        here = devices(one.device, root)
        for device in here:
            for cpu in device.cpus or (0,):
                for name, terms in one.events:
                    places.append(Place((name,), Group([device.event(terms)], Scope(-1, cpu), 0)))
        if here:
            return


def _known(cpuinfo: str) -> Known:
    with open(cpuinfo, encoding="utf-8", errors="replace") as file:
        return TABLE[generation(processor(file.read(1 << 16)))]
