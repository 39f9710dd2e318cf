"""The node's processors (proc_stat(5)): how their time went, since the machine started."""

from __future__ import annotations

from paramon.sensors.file import KeptFile

NAMES = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
MAY_FALL = ("cpu.idle_ticks", "cpu.iowait_ticks")
"""Linux takes them back a little now and then (proc_stat(5)): it would be read as a new beginning."""


class Cpu:
    name = "cpu"

    def __init__(self, root: str = "/proc") -> None:
        self._stat = KeptFile(f"{root}/stat")
        self._load = KeptFile(f"{root}/loadavg")
        self._most = dict.fromkeys(MAY_FALL, 0)

    def read(self) -> dict[str, int]:
        """Clock ticks of all processors together, and how many threads run or want to."""
        parts = self._stat.read(256).split(None, 9)
        found = {f"cpu.{name}_ticks": int(value) for name, value in zip(NAMES, parts[1:9])}
        for series, most in self._most.items():
            found[series] = self._most[series] = max(found[series], most)
        found["cpu.runnable"] = int(self._load.read(128).split()[3].partition(b"/")[0])
        return found

    def close(self) -> None:
        self._stat.close()
        self._load.close()
