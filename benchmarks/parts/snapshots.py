"""Snapshots of a queue with the wait that came: read, and made into what can be known of each job at that moment.

A row is a job that waits when the queue is looked at (`poll_time`), with what it asked for, its priority, what is
queued and running above it (`q_…`, `r_…`, those of its partition `…_p_…`), its account's fair share, and how long it
still waited from then on (`poll_wait_s`): the form of mila-iqia/slurm-queue-time-pred.
"""

import csv
import gzip
import lzma
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from paracloud.placement.learn_waits import Numbers

ASKED: Final = ("req_cpus", "req_mem_MB", "gpus", "timelimit_s", "priority_y")
QUEUE: Final = (
    "q_jobs_above", "q_cores_above", "q_mem_above", "q_core_hours_above", "q_p_jobs_above", "q_p_core_hours_above",
    "q_gpus_above", "r_jobs_above", "r_cores_above", "r_mem_above", "r_core_hours_above", "r_p_cores_above",
    "r_gpus_above", "norm_share_poll", "effect_use_poll", "level_fs_poll",
)  # fmt: skip
WHO: Final = ("partition", "account_id")
INFINITE: Final = 1e9
"""Stands for an infinite number: an account that has used nothing has an infinite fair-share level."""
UNKNOWN: Final = -1.0

Whole = NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Snapshots:
    """`plain`: (job, feature), what the row says; `features`: what the others of its snapshot add to it; `waits`:
    seconds; `at`: the moment, seconds since the epoch; `days`: numbered from 0 in order."""

    plain: Numbers
    features: Numbers
    waits: Numbers
    at: Numbers
    days: Whole


def read_snapshots(file: Path) -> Snapshots:
    """`file` may be packed (.xz, .gz). ValueError or KeyError for what has not this form."""
    with _opened(file) as lines:
        reader = csv.reader(lines)
        columns = dict(zip(next(reader), zip(*reader, strict=True), strict=True))
    at, submitted = _moments(columns["poll_time"]), _moments(columns["submit_time"])
    known = {name: _numbers(columns[name]) for name in (*ASKED, *QUEUE, *WHO)}
    _, days = np.unique(at // 86400, return_inverse=True)
    plain = np.column_stack([known[name] for name in (*ASKED, *QUEUE)] + [at - submitted])
    among = _among(np.asarray(days, dtype=np.int64), known)
    features = np.column_stack([plain, *among, known["partition"], submitted % 86400 // 3600])
    waits = np.maximum(_numbers(columns["poll_wait_s"]), 1.0)
    return Snapshots(plain, features, waits, at, np.asarray(days, dtype=np.int64))


def _among(days: Whole, known: dict[str, Numbers]) -> list[Numbers]:
    """How many wait in the whole snapshot, of the same account and of the same partition, and the place of each by its
    priority among them."""
    parts: list[Numbers] = [known["req_mem_MB"] / known["req_cpus"]]
    for group in (np.zeros(len(days)), known["account_id"], known["partition"]):
        _, members = np.unique(np.column_stack([days, group]), axis=0, return_inverse=True)
        members = members.reshape(-1)
        order = np.lexsort((-known["priority_y"], members))
        sizes = np.bincount(members)
        place = np.empty(len(days))
        place[order] = np.arange(len(days)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
        parts += [sizes[members].astype(np.float64), place]
    return parts


def _opened(file: Path) -> TextIO:
    opens = {".xz": lzma.open, ".gz": gzip.open}.get(file.suffix, open)
    return opens(file, "rt", encoding="utf-8", newline="")  # type: ignore[operator,no-any-return]  # one call for three


def _moments(texts: Sequence[str]) -> Numbers:
    seen = {text: datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() for text in set(texts)}
    return np.array([seen[text] for text in texts])


def _numbers(texts: Sequence[str]) -> Numbers:
    values = np.array([float(text) if text else UNKNOWN for text in texts])
    return np.asarray(np.clip(np.nan_to_num(values, nan=UNKNOWN), -INFINITE, INFINITE), dtype=np.float64)
