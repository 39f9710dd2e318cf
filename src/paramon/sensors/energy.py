"""What the processors and their memory took, by their own meters: RAPL
(Documentation/power/powercap/powercap.rst of Linux)."""

from __future__ import annotations

from paramon.sensors.file import KeptFile, content, names, text
from paramon.sensors.sensor import Unavailable

MEASURED = ("package", "dram", "psys")
"""Parts of a package, such as its cores, are in the package's sum already."""


class Energy:
    """Microjoules, by package and by the memory beside it: `energy.package_0_uj`, `energy.package_0_dram_uj`. A meter
    starts over at a value of its own; the series goes on."""

    name = "energy"

    def __init__(self, root: str = "/sys") -> None:
        folder = f"{root}/class/powercap"
        self._meters: dict[str, _Meter] = {}
        denied = False
        for zone in names(folder):
            # Another kind, intel-rapl-mmio, tells the same package once more.
            if not zone.startswith("intel-rapl:"):
                continue
            name = text(f"{folder}/{zone}/name")
            if not name.startswith(MEASURED):
                continue
            if zone.count(":") > 1:
                package = zone.rpartition(":")[0]
                name = text(f"{folder}/{package}/name") + "-" + name
            try:
                self._meters["energy." + name.replace("-", "_") + "_uj"] = _Meter(f"{folder}/{zone}")
            except (OSError, Unavailable):
                denied = True
        if self._meters:
            return
        if denied:
            raise Unavailable(
                f"{folder}/*/energy_uj: this user may not read it; the operator can allow it",
                f"{folder}/*/energy_uj：当前用户无权读取，可由管理员开放读取权限",
            )
        raise Unavailable(f"{folder}: no RAPL meter on this machine", f"{folder}：本机没有 RAPL 能耗计")

    def read(self) -> dict[str, int]:
        return {series: meter.read() for series, meter in self._meters.items()}

    def close(self) -> None:
        for meter in self._meters.values():
            meter.close()


class _Meter:
    """It must be read before it has gone round once: after a quarter of an hour at 300 W."""

    def __init__(self, zone: str) -> None:
        self._range = int(content(f"{zone}/max_energy_range_uj", 32))
        self._file = KeptFile(f"{zone}/energy_uj")
        self._last = self._total = int(self._file.read(32))

    def read(self) -> int:
        now = int(self._file.read(32))
        passed = now - self._last
        self._total += passed if passed >= 0 else passed + self._range + 1
        self._last = now
        return self._total

    def close(self) -> None:
        self._file.close()
