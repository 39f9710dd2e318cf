"""The node's own disks (Documentation/admin-guide/iostats.rst of Linux), since the machine started."""

from __future__ import annotations

import os

from paramon.sensors.file import KeptFile
from paramon.sensors.sensor import Unavailable

SECTOR_BYTES = 512
"""Of these counts, whatever the disk's own sectors are."""
MADE_OF_OTHERS = ("loop", "ram", "zram", "dm-", "md", "sr", "nbd")
READS, READ_SECTORS, READ_MS, WRITES, WRITTEN_SECTORS, WRITE_MS, BUSY_MS = 3, 5, 6, 7, 9, 10, 12


class Disks:
    """Whole devices, each byte once: no partitions, and nothing that is made of other devices. `busy_ms`: while
    anything was asked of it; `read_ms` and `write_ms`: of all requests together, waiting included."""

    name = "disk"

    def __init__(self, proc: str = "/proc", sys: str = "/sys") -> None:
        self._file, self._sys = KeptFile(f"{proc}/diskstats"), sys
        self._counted: dict[bytes, str] = {}
        if not self.read():
            self._file.close()
            raise Unavailable(f"{proc}/diskstats: no disk on this node", f"{proc}/diskstats：本节点没有磁盘")

    def read(self) -> dict[str, int]:
        found = {}
        for line in self._file.read_all().split(b"\n")[:-1]:
            parts = line.split(None, 14)
            start = self._counted.get(parts[2])
            if start is None:
                start = self._counted[parts[2]] = self._start(parts[2].decode())
            if start:
                found[start + "reads"], found[start + "writes"] = int(parts[READS]), int(parts[WRITES])
                found[start + "read_bytes"] = int(parts[READ_SECTORS]) * SECTOR_BYTES
                found[start + "written_bytes"] = int(parts[WRITTEN_SECTORS]) * SECTOR_BYTES
                found[start + "read_ms"], found[start + "write_ms"] = int(parts[READ_MS]), int(parts[WRITE_MS])
                found[start + "busy_ms"] = int(parts[BUSY_MS])
        return found

    def close(self) -> None:
        self._file.close()

    def _start(self, disk: str) -> str:
        is_whole = os.path.exists(f"{self._sys}/block/{disk.replace('/', '!')}")
        return f"disk.{disk}." if is_whole and not disk.startswith(MADE_OF_OTHERS) else ""
