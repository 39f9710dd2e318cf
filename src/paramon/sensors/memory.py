"""The node's memory (proc_meminfo(5))."""

from __future__ import annotations

from paramon.sensors.file import KeptFile

SERIES = {
    b"MemTotal": "memory.total_kib",
    b"MemFree": "memory.free_kib",
    b"MemAvailable": "memory.available_kib",
    b"Buffers": "memory.buffers_kib",
    b"Cached": "memory.cached_kib",
    b"Shmem": "memory.shared_kib",
    b"SwapFree": "memory.swap_free_kib",
    b"Dirty": "memory.dirty_kib",
}


class Memory:
    name = "memory"

    def __init__(self, root: str = "/proc") -> None:
        self._file = KeptFile(f"{root}/meminfo")

    def read(self) -> dict[str, int]:
        found = {}
        for line in self._file.read(8192).split(b"\n"):
            name, _, text = line.partition(b":")
            series = SERIES.get(name)
            if series is not None:
                found[series] = int(text.split()[0])
        return found

    def close(self) -> None:
        self._file.close()
