"""How evenly the node's cores are used (proc_stat(5)): a summary, since hundreds of cores would drown the rest."""

from __future__ import annotations

from paramon.sensors.file import KeptFile

IDLE, WAITING = 4, 5
BUSY_PERMILLE = 900


class Cores:
    """Between one read and the next, so that the first one says nothing. Per mille of a core's time that it was not
    idle: of the busiest core, of the idlest, and how many were above 900 (`cores.full`)."""

    name = "cores"

    def __init__(self, root: str = "/proc") -> None:
        self._stat = KeptFile(f"{root}/stat")
        self._before: dict[bytes, tuple[int, int]] = {}

    def read(self) -> dict[str, int]:
        now = _times(self._stat.read())
        used = []
        for core, (busy, total) in now.items():
            busy_before, total_before = self._before.get(core, (busy, total))
            if total > total_before:
                used.append(min(max(busy - busy_before, 0) * 1000 // (total - total_before), 1000))
        self._before = now
        if not used:
            return {}
        return {
            "cores.busiest_permille": max(used),
            "cores.idlest_permille": min(used),
            "cores.full": sum(one > BUSY_PERMILLE for one in used),
        }

    def close(self) -> None:
        self._stat.close()


def _times(stat: bytes) -> dict[bytes, tuple[int, int]]:
    """Clock ticks by core: not idle, and all. Time of guests is in that of users already."""
    found = {}
    for line in stat.split(b"\n")[1:]:
        if not line.startswith(b"cpu"):
            break
        parts = line.split()
        times = [int(part) for part in parts[1:9]]
        total = sum(times)
        found[parts[0]] = (total - times[IDLE - 1] - times[WAITING - 1], total)
    return found
