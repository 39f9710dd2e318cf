"""What can be counted here, by the kernel's own description (/sys/bus/event_source/devices; Linux's
Documentation/ABI/testing/sysfs-bus-event_source-devices-format)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from paramon.perf.call import Event
from paramon.sensors.sensor import Unavailable

DEVICES = "/sys/bus/event_source/devices"
HYBRID = ("cpu_core", "cpu_atom", "cpu_lowpower")
"""As the kernel names the kinds of cores of one Intel processor (perf-intel-hybrid(1))."""
WORDS = ("config", "config1", "config2")


class Device(NamedTuple):
    """`kind`: of its events. `cpus`: those at which a counter of all of it is opened, one for each socket; empty for
    what belongs to each CPU."""

    name: str
    kind: int
    cpus: tuple[int, ...]
    fields: dict[str, tuple[str, tuple[tuple[int, int], ...]]]

    def event(self, terms: Mapping[str, int]) -> Event:
        """Unavailable where it has no such field, or the value has no room in it."""
        words = dict.fromkeys(WORDS, 0)
        for name, value in terms.items():
            if not value:
                continue
            if name not in self.fields:
                raise Unavailable(f"{self.name} has no field {name}", f"{self.name} 没有字段 {name}")
            word, ranges = self.fields[name]
            words[word] |= self._placed(name, value, ranges)
        return Event(self.kind, words["config"], words["config1"], words["config2"])

    def _placed(self, name: str, value: int, ranges: tuple[tuple[int, int], ...]) -> int:
        placed, rest = 0, value
        for first, last in ranges:
            width = last - first + 1
            placed |= (rest & ((1 << width) - 1)) << first
            rest >>= width
        if rest:
            raise Unavailable(
                f"{self.name}: {value:#x} is too large for {name}", f"{self.name}：{name} 放不下 {value:#x}"
            )
        return placed


def devices(prefix: str, root: str = DEVICES) -> list[Device]:
    """Those whose name is that, or that with a number behind: `uncore_imc_3`, and not `uncore_imc_free_running_0`."""
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return []
    rests = {name: name[len(prefix) :].lstrip("_") for name in names if name.startswith(prefix)}
    return [_device(root, name) for name, rest in rests.items() if not rest or rest.isdigit()]


def core_pmu(root: str = DEVICES) -> Device:
    """What counts a core's events. Unavailable where nothing does, or where cores are of several kinds, each of which
    would be asked for other events."""
    found = devices("cpu", root)
    kinds = ", ".join(name for name in HYBRID if devices(name, root))
    if kinds and not found:
        raise Unavailable(
            f"its cores are of several kinds ({kinds}), whose hardware counters are not known here",
            f"处理器为混合架构（{kinds}），尚不支持其硬件计数器",
        )
    if not found:
        raise Unavailable(
            "no hardware counters: a virtual machine without a PMU, or a kernel without its driver",
            "没有硬件计数器：虚拟机未提供 PMU，或内核缺少驱动",
        )
    return found[0]


def _device(root: str, name: str) -> Device:
    base, fields = os.path.join(root, name), {}
    try:
        for field in os.listdir(os.path.join(base, "format")):
            word, _, bits = _text(os.path.join(base, "format", field)).partition(":")
            if word in WORDS:
                fields[field] = word, tuple(_range(part) for part in bits.split(","))
    except FileNotFoundError:
        pass
    cpus: tuple[int, ...] = ()
    try:
        cpus = numbers(_text(os.path.join(base, "cpumask")))
    except FileNotFoundError:
        pass
    return Device(name, int(_text(os.path.join(base, "type"))), cpus, fields)


def numbers(text: str) -> tuple[int, ...]:
    """Of a list such as `0-3,8`, as the kernel writes sets of CPUs."""
    found: list[int] = []
    for part in text.split(","):
        if part.strip():
            first, last = _range(part)
            found.extend(range(first, last + 1))
    return tuple(found)


def _range(text: str) -> tuple[int, int]:
    first, _, last = text.strip().partition("-")
    return int(first), int(last or first)


def _text(path: str) -> str:
    with open(path, encoding="ascii") as file:
        return file.read().strip()
