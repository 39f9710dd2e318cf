"""A profile's beginning: its file, and what is said of the machine and the job at its head."""

from __future__ import annotations

import errno
import os
import socket
import time
from collections.abc import Mapping
from typing import Any, NamedTuple

from paramon import VERSION
from paramon.beat import Beat
from paramon.errors import Refused
from paramon.machine import sensors_here
from paramon.orphans import Orphans
from paramon.perf.job import AUTO, job_sensors
from paramon.record import Recorder
from paramon.sample.fields import NAMES
from paramon.sample.profile import SUFFIX
from paramon.schedulers import slots_here
from paramon.sensors.exits import Exits
from paramon.sensors.sensor import Unavailable
from paramon.spool import AS_USUAL, Modes, Spool
from paramon.table import Belongs, Table


class Wish(NamedTuple):
    """`folder`: of the profile. `period`: seconds from one look to the next; `budget`: of a core. `job`, `node`: as the
    scheduler names them; empty for no job, and for the machine's own name. `mpi`: AUTO samples ranks where there are
    any, OFF none."""

    folder: str
    period: float = 1.0
    budget: float = 0.005
    job: str = ""
    node: str = ""
    mpi: str = AUTO


def begin(wish: Wish, belongs: Belongs, command: list[str]) -> Recorder:
    """Refused where nothing can be written there."""
    started, node = int(time.time() * 1000), wish.node or socket.gethostname()
    sensors, unavailable = sensors_here()
    ends = exits_here(unavailable) or (None if belongs.is_attached else Orphans())
    of_job, followers = job_sensors(wish.period, wish.mpi, unavailable, is_attached=belongs.is_attached)
    header = header_of(wish, node, command, started, unavailable)
    header["attached"] = belongs.is_attached
    spool = spool_of(wish.folder, header)
    return Recorder(spool, Table(belongs, ends=ends), Beat(wish.period, wish.budget), [*sensors, *of_job], followers)


def spool_of(folder: str, header: dict[str, Any], modes: Modes = AS_USUAL) -> Spool:
    """Refused where nothing can be written there."""
    try:
        name = f"{_as_file_name(header['node'])}-{header['started_at_ms']}-{os.getpid()}"
        return Spool(folder, name, header, modes)
    except OSError as wrong:
        raise Refused(
            f"The profile cannot be written to {folder} ({why_not(wrong)}): {what_to_do(wrong)[0]}.",
            f"无法在 {folder} 写入采集文件（{why_not(wrong)}）：{what_to_do(wrong)[1]}。",
        ) from None


def _as_file_name(node: str) -> str:
    """Neither a path, nor hidden, nor what would speak to the terminal."""
    whole = "".join(one if one.isprintable() and one != "/" else "_" for one in node)
    return "_" + whole[1:] if whole.startswith(".") else whole


def why_not(wrong: OSError) -> str:
    """Where a folder cannot be made since a file has its name, that it exists would say nothing."""
    is_in_the_way = isinstance(wrong, FileExistsError) and not str(wrong.filename).endswith(SUFFIX)
    return os.strerror(errno.ENOTDIR) if is_in_the_way else wrong.strerror or str(wrong)


def what_to_do(wrong: OSError) -> tuple[str, str]:
    """In English and in Chinese, of a file that cannot be written."""
    known = {
        errno.EMFILE: ("allow more open files with ulimit -n", "请用 ulimit -n 允许打开更多文件"),
        errno.ENFILE: ("close files, too many are open on this machine", "本机打开的文件过多，请先关闭一些"),
        errno.EFBIG: ("allow larger files with ulimit -f", "请用 ulimit -f 允许更大的文件"),
        errno.ENAMETOOLONG: ("shorten --node or --folder", "请缩短 --node 或 --folder"),
    }
    return known.get(wrong.errno or 0, ("name a folder with --folder", "请用 --folder 指定目录"))


def exits_here(unavailable: dict[str, tuple[str, str]]) -> Exits | None:
    """None where they are not to be had; then why is added to what is unavailable."""
    try:
        return Exits()
    except Unavailable as why:
        unavailable["exits"] = (why.en, why.zh)
        return None


def header_of(
    wish: Wish, node: str, command: list[str], started: int, unavailable: dict[str, tuple[str, str]]
) -> dict[str, Any]:
    return {
        "paramon": VERSION,
        "node": node,
        "job": wish.job,
        "command": command,
        "started_at_ms": started,
        "boot": _boot(),
        "pid": os.getpid(),
        "ticks_a_second": os.sysconf("SC_CLK_TCK"),
        "cores": os.cpu_count(),
        "usable_cores": usable_cores(os.environ),
        "period": wish.period,
        "budget": wish.budget,
        "fields": NAMES,
        "unavailable": {name: list(why) for name, why in unavailable.items()},
    }


def usable_cores(known: Mapping[str, str]) -> int:
    """That this process may run on, or that its job was given, where those are fewer."""
    bound = len(os.sched_getaffinity(0))
    return min(slots_here(known, socket.gethostname()) or bound, bound)


def _boot() -> str:
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return ""
