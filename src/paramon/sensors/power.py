"""What the machine's own power meters show (Documentation/hwmon/sysfs-interface.rst of Linux)."""

from __future__ import annotations

import re

from paramon.sensors.file import content, names, text
from paramon.sensors.sensor import Unavailable

METER = re.compile(r"(power\d+)_(average|input)")


class Power:
    """Milliwatts by the chip and its label: `power.acpi_meter_mw`, `power.grace_cpu_power_socket_0_mw`."""

    name = "power"

    def __init__(self, root: str = "/sys") -> None:
        folder = f"{root}/class/hwmon"
        self._paths: dict[str, str] = {}
        for chip in names(folder):
            for file in names(f"{folder}/{chip}"):
                meter = METER.fullmatch(file)
                if meter is not None:
                    label = text(f"{folder}/{chip}/{meter[1]}_label")
                    series = _free(_word(text(f"{folder}/{chip}/name") or chip, label), self._paths)
                    self._paths[series] = f"{folder}/{chip}/{file}"
        if not self._read():
            raise Unavailable(
                f"{folder}: no power meter that can be read on this machine", f"{folder}：本机没有可读的功率计"
            )

    def read(self) -> dict[str, int]:
        found = self._read()
        if not found:
            raise OSError(5, "no power meter answers")
        return found

    def close(self) -> None:
        pass

    def _read(self) -> dict[str, int]:
        found = {}
        for series, path in self._paths.items():
            try:
                found[series] = int(content(path, 32)) // 1000
            except (OSError, ValueError):
                continue
        return found


def _word(*parts: str) -> str:
    return re.sub(r"[^a-z0-9]+", "_", " ".join(parts).lower()).strip("_")


def _free(word: str, taken: dict[str, str]) -> str:
    """Chips of two sockets have the same name."""
    series, number = f"power.{word}_mw", 1
    while series in taken:
        number += 1
        series = f"power.{word}_{number}_mw"
    return series
