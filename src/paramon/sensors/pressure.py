"""How long tasks were held up for want of CPU, memory or I/O: pressure stall information
(Documentation/accounting/psi.rst of Linux)."""

from __future__ import annotations

from paramon.sensors.file import KeptFile
from paramon.sensors.sensor import Unavailable

RESOURCES = ("cpu", "io", "memory")


class Pressure:
    """Microseconds since the machine started, in which some tasks, or all at once, were held up."""

    name = "pressure"

    def __init__(self, root: str = "/proc") -> None:
        self._files: dict[str, KeptFile] = {}
        try:
            for resource in RESOURCES:
                self._files[resource] = KeptFile(f"{root}/pressure/{resource}")
            self.read()
        except (Unavailable, OSError):
            self.close()
            raise Unavailable(
                f"{root}/pressure: this kernel keeps no pressure stall information (it may need to start with psi=1)",
                f"{root}/pressure：内核未提供压力停滞信息（PSI，可能需要以 psi=1 启动）",
            ) from None

    def read(self) -> dict[str, int]:
        found = {}
        for resource, file in self._files.items():
            for line in file.read(512).splitlines():
                kind, _, told = line.partition(b" ")
                found[f"pressure.{resource}_{kind.decode()}_us"] = int(told.rpartition(b"total=")[2])
        return found

    def close(self) -> None:
        for file in self._files.values():
            file.close()
