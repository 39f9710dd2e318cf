"""A profile's beginning: its file, and what is said of the machine and the job at its head."""

from __future__ import annotations

import os
import socket
import time
from typing import Any, NamedTuple

from paramon import VERSION
from paramon.beat import Beat
from paramon.errors import Refused
from paramon.record import Recorder
from paramon.sample.fields import NAMES
from paramon.sensors.all import sensors_here
from paramon.spool import Spool
from paramon.table import Belongs, Table


class Wish(NamedTuple):
    """`folder`: of the profile. `period`: seconds from one look to the next; `budget`: of a core. `job`, `node`: as the
    scheduler names them; empty for no job, and for the machine's own name."""

    folder: str
    period: float = 1.0
    budget: float = 0.005
    job: str = ""
    node: str = ""


def begin(wish: Wish, belongs: Belongs, command: list[str]) -> Recorder:
    """Refused where nothing can be written there."""
    started, node = int(time.time() * 1000), wish.node or socket.gethostname()
    sensors, unavailable = sensors_here()
    header = _header(wish, node, command, started, unavailable)
    header["attached"] = bool(belongs.processes)
    try:
        spool = Spool(wish.folder, f"{node.replace('/', '_')}-{started}-{os.getpid()}", header)
    except OSError as wrong:
        raise Refused(
            f"The profile cannot be written to {wish.folder} ({wrong.strerror}): name a folder with --folder.",
            f"无法在 {wish.folder} 写入采集文件（{wrong.strerror}）：请用 --folder 指定目录。",
        ) from None
    return Recorder(spool, Table(belongs), Beat(wish.period, wish.budget), sensors)


def _header(
    wish: Wish, node: str, command: list[str], started: int, unavailable: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    return {
        "paramon": VERSION,
        "node": node,
        "job": wish.job,
        "command": command,
        "started_at_ms": started,
        "boot": _boot(),
        "ticks_a_second": os.sysconf("SC_CLK_TCK"),
        "cores": os.cpu_count(),
        "usable_cores": len(os.sched_getaffinity(0)),
        "period": wish.period,
        "budget": wish.budget,
        "fields": NAMES,
        "unavailable": {name: list(why) for name, why in unavailable.items()},
    }


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
