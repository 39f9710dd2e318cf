"""How fast the cores run, in MHz: the slowest, the mean, the fastest."""

from __future__ import annotations

from paramon.sensors.file import content, names
from paramon.sensors.sensor import Unavailable

CORES_MOST = 64
"""More cores than that are not asked: every second, or third … one is."""


class Frequency:
    """From cpufreq (Documentation/admin-guide/pm/cpufreq.rst of Linux); from /proc/cpuinfo where there is none."""

    name = "frequency"

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        folder = f"{sys}/devices/system/cpu"
        cores = [name for name in names(folder) if name[:3] == "cpu" and name[3:].isdigit()]
        cores.sort(key=lambda name: int(name[3:]))
        every = -(-len(cores) // CORES_MOST) or 1
        self._paths = [f"{folder}/{core}/cpufreq/scaling_cur_freq" for core in cores[::every]]
        self._cpuinfo = f"{proc}/cpuinfo"
        self._mhz = self._of_cpufreq
        if self._of_cpufreq():
            return
        self._mhz = self._of_cpuinfo
        try:
            is_told = bool(self._of_cpuinfo())
        except OSError:
            is_told = False
        if not is_told:
            raise Unavailable(
                f"neither cpufreq in {folder} nor {self._cpuinfo} tells a frequency",
                f"{folder} 的 cpufreq 与 {self._cpuinfo} 均未提供频率",
            )

    def read(self) -> dict[str, int]:
        told = self._mhz()
        if not told:
            return {}
        return {
            "frequency.least_mhz": min(told),
            "frequency.mean_mhz": sum(told) // len(told),
            "frequency.most_mhz": max(told),
        }

    def close(self) -> None:
        pass

    def _of_cpufreq(self) -> list[int]:
        """One that is switched off tells none."""
        found = []
        for path in self._paths:
            try:
                found.append(int(content(path, 32)) // 1000)
            except (OSError, ValueError):
                continue
        return found

    def _of_cpuinfo(self) -> list[int]:
        with open(self._cpuinfo, "rb") as file:
            return [int(float(line.partition(b":")[2])) for line in file if line.startswith(b"cpu MHz")]
