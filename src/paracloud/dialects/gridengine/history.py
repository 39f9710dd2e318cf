"""Grid Engine's accounting file: one line an execution, fields between colons (man 5 accounting)."""

import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime

from paracloud.dialects.history import HistoryRecord, LeftOut, Told, unreadable
from paracloud.dialects.records import NativePhase
from paracloud.dialects.text import count, printable
from paracloud.kit.identifiers import NativeId

FIELDS = (
    "qname", "hostname", "group", "owner", "job_name", "job_number", "account", "priority", "submission_time",
    "start_time", "end_time", "failed", "exit_status", "ru_wallclock", "ru_utime", "ru_stime", "ru_maxrss", "ru_ixrss",
    "ru_ismrss", "ru_idrss", "ru_isrss", "ru_minflt", "ru_majflt", "ru_nswap", "ru_inblock", "ru_oublock", "ru_msgsnd",
    "ru_msgrcv", "ru_nsignals", "ru_nvcsw", "ru_nivcsw", "project", "department", "granted_pe", "slots", "task_number",
    "cpu", "mem", "io", "category", "iow", "pe_taskid", "maxvmem", "arid", "ar_submission_time",
)  # fmt: skip
_NEEDED = FIELDS.index("pe_taskid") + 1
_MILLISECONDS_FROM = 10**11
"""Later Grid Engines write milliseconds; no time in seconds is that large for three thousand years."""
_GPUS = re.compile(r"\b(?:gpu|gpus|ngpus)=(\d{1,6})\b")
_NODE_FAILED = frozenset({21, 22, 23, 24, 25})
"""Rescheduled, execution host lost, migrated (man 5 accounting, `failed`)."""
_KILLED_BY_LIMIT = 37


def read(lines: Iterable[str]) -> Iterator[Told]:
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        try:
            yield _told(number, line)
        except ValueError as reason:
            yield unreadable(number, line, reason)


def _told(number: int, line: str) -> Told:
    words = line.rstrip("\n").split(":")
    if len(words) < _NEEDED:
        raise ValueError(
            f"it has {len(words)} fields instead of {len(FIELDS)}", f"应有 {len(FIELDS)} 个字段，实有 {len(words)} 个"
        )
    value = dict(zip(FIELDS, words, strict=False))
    if value["pe_taskid"] not in ("NONE", ""):
        return LeftOut(number, "step")
    started, ended = _time(value["start_time"]), _time(value["end_time"])
    if started is None or ended is None:
        return LeftOut(number, "never started")
    failed, status = count(value["failed"].partition(" ")[0]), count(value["exit_status"])
    gpus = _GPUS.search(value["category"])
    slots = count(value["slots"])
    submitted = _time(value["submission_time"])
    return HistoryRecord(
        native_id=NativeId(str(count(value["job_number"]))),
        task_index=count(value["task_number"]) or None,
        name=printable(value["job_name"]),
        account=printable(value["project"] if value["project"] != "NONE" else value["account"]),
        user=printable(value["owner"], 64),
        group=printable(value["group"], 64),
        queue=printable(value["qname"], 200),
        qos="",
        phase=_phase(failed, status),
        native_state=f"failed={failed}" if failed else f"exit_status={status}",
        exit_code=status,
        exit_signal=status - 128 if 128 < status < 192 else 0,
        submitted_at=submitted or started,
        started_at=started,
        ended_at=ended,
        elapsed_seconds=max(int((ended - started).total_seconds()), 0),
        cores=slots,
        # The file does not say on how many hosts; only that the first one was this.
        nodes=1,
        gpus=int(gpus[1]) * slots if gpus else 0,
        memory_bytes=0,
        node_list=printable(value["hostname"], 1000),
    )


def _phase(failed: int, status: int) -> NativePhase:
    if failed == _KILLED_BY_LIMIT:
        return NativePhase.TIMEOUT
    if failed in _NODE_FAILED:
        return NativePhase.NODE_FAILED
    return NativePhase.FAILED if failed or status else NativePhase.COMPLETED


def _time(text: str) -> datetime | None:
    """None: it has not happened."""
    seconds = count(text)
    if seconds > _MILLISECONDS_FROM:
        seconds //= 1000
    return datetime.fromtimestamp(seconds, UTC) if seconds else None
