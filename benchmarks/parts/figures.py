"""Numbers of processes and of samples, and where progress is shown."""

import math
import os
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from demo.stage import Stage

TICKS = os.sysconf("SC_CLK_TCK")


def say(text: str) -> None:
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def percentile(samples: Sequence[float], share: float) -> float:
    """The smallest sample that at least this share of them does not exceed."""
    return sorted(samples)[max(0, math.ceil(share * len(samples)) - 1)]


def median(samples: Sequence[float]) -> float:
    return statistics.median(samples)


def processes(stage: Stage) -> dict[str, list[int]]:
    """The server's own processes by their word: api, worker, authority."""
    found: dict[str, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            words = (folder / "cmdline").read_bytes().split(b"\0")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if parent == stage.server_pid and b"paracloud.app.main" in words:
            found.setdefault(words[-2].decode(), []).append(int(folder.name))
    return found


def rss_mib(pids: Sequence[int]) -> float:
    """The largest of these processes."""
    pages = [int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids]
    return round(max(pages) * os.sysconf("SC_PAGE_SIZE") / (1 << 20), 1)


def cpu_seconds(pids: Sequence[int]) -> float:
    """User and system, of all of them together, children that they have reaped left out."""
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(one[11]) + int(one[12]) for one in fields) / TICKS
