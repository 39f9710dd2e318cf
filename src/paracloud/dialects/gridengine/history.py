"""Grid Engine's accounting file: one line an execution, fields between colons (man 5 accounting)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from paracloud.dialects.gridengine.text import size_bytes
from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, LeftOut, Told, each
from paracloud.dialects.records import NativePhase
from paracloud.dialects.text import clock, count, few, instant, printable
from paracloud.kit.identifiers import NativeId

FIELDS = (
    "qname", "hostname", "group", "owner", "job_name", "job_number", "account", "priority", "submission_time",
    "start_time", "end_time", "failed", "exit_status", "ru_wallclock", "ru_utime", "ru_stime", "ru_maxrss", "ru_ixrss",
    "ru_ismrss", "ru_idrss", "ru_isrss", "ru_minflt", "ru_majflt", "ru_nswap", "ru_inblock", "ru_oublock", "ru_msgsnd",
    "ru_msgrcv", "ru_nsignals", "ru_nvcsw", "ru_nivcsw", "project", "department", "granted_pe", "slots", "task_number",
    "cpu", "mem", "io", "category", "iow", "pe_taskid", "maxvmem", "arid", "ar_submission_time",
)  # fmt: skip
"""Of Grid Engine 6.2 and what came of it; older ones lack the last two, Univa's adds more."""
_NEEDED = FIELDS.index("pe_taskid") + 1
_MILLISECONDS_FROM = 10**11
"""Later Grid Engines write milliseconds; no time in seconds is that large for three thousand years."""
_GPUS = re.compile(r"\b(?:gpu|gpus|ngpus)=(\d{1,6})\b", re.ASCII)
_WALL = re.compile(r"\bh_rt=(\d[\d:]{0,20})", re.ASCII)
_MEMORY = re.compile(r"[ :]-l (?:[^ :]*,)?h_vmem=([0-9.]{1,20}[KkMmGgTt]?)[ ,:]", re.ASCII)
_MEASURE = re.compile(r"-?[0-9][0-9.e+-]*", re.ASCII)
_NODE_FAILED = frozenset({21, 22, 23, 24, 25})
"""Rescheduled, execution host lost, migrated (man 5 accounting, `failed`)."""
_KILLED_BY_LIMIT = 37
_ASSUMED_FINISHED, _KILLED = 100, 128 + 9
"""Its script died of a signal; of this one where qdel ended it."""
_UNSAID = frozenset({"qos", "nodes", "memory_bytes", "resources"})
STATE = r"(?:failed|exit_status)=\d{1,9}"
"""Of a record's `native_state`."""


def read(lines: Iterable[str]) -> Iterator[Told]:
    """Lines that begin with # are the file's own remarks."""
    return each(lines, _tell)


def _tell(number: int, text: str) -> Iterator[Told]:
    if text.startswith("#"):
        yield LeftOut(number, "remark")
        return
    words = text.split(":")
    if len(words) < _NEEDED:
        raise ValueError(
            f"it has {len(words)} fields instead of {len(FIELDS)}", f"应有 {len(FIELDS)} 个字段，实有 {len(words)} 个"
        )
    value = dict(zip(FIELDS, words, strict=False))
    if not (_MEASURE.fullmatch(value["io"]) and _MEASURE.fullmatch(value["iow"])):
        # A colon inside the category moves what follows it: pe_taskid would be another field.
        raise ValueError("io and iow are no numbers: a field holds a colon", "io 与 iow 不是数字：某字段中含有冒号")
    started, ended = _time(value["start_time"]), _time(value["end_time"])
    if value["pe_taskid"] not in ("NONE", ""):
        yield LeftOut(number, "step")
    elif started is None:
        yield LeftOut(number, "never started")
    elif ended is None:
        yield LeftOut(number, "not ended")
    else:
        yield _record(value, started, ended, text)


def _record(value: Mapping[str, str], started: datetime, ended: datetime, text: str) -> HistoryRecord:
    failed, status = few(value["failed"].partition(" ")[0]), few(value["exit_status"])
    gpus, limit = _GPUS.search(value["category"]), _WALL.search(value["category"])
    job, slots = NativeId(str(count(value["job_number"]))), few(value["slots"])
    task = count(value["task_number"]) or None
    return HistoryRecord(
        native_id=job,
        record_id=job,
        # A job that was rescheduled keeps its number and submission; each time that it ran is a line of its own.
        usage_id=NativeId(f"{job}{'' if task is None else f'.{task}'}@{int(started.timestamp())}"),
        task_index=task,
        cluster="",
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
        submitted_at=_time(value["submission_time"]) or started,
        eligible_at=None,
        started_at=started,
        ended_at=ended,
        elapsed_seconds=max(int((ended - started).total_seconds()), 0),
        wall_limit=clock(limit[1]) if limit else None,
        requested_cores=slots,
        cores=slots,
        # The file does not say on how many hosts; only that the first one was this.
        nodes=1,
        # A consumable that is asked for is granted once a slot (man 5 complex, consumable YES).
        gpus=few(str(int(gpus[1]) * slots)) if gpus else 0,
        memory_bytes=0,
        node_list=printable(value["hostname"], 1000),
        raw=printable(text, RAW_LIMIT),
        unsaid=_UNSAID,
    )


def booked_memory(record: HistoryRecord) -> int | None:
    """Bytes that its request of h_vmem, once a slot, had booked. None: it asked for none."""
    asked = _MEMORY.search(record.raw)
    return size_bytes(asked[1]) * record.cores if asked else None


def gpus_of_job(record: HistoryRecord) -> int:
    """The cards of a record whose `gpu` is known to count for the job (man 5 complex, consumable JOB)."""
    return record.gpus // record.cores if record.cores else 0


def _phase(failed: int, status: int) -> NativePhase:
    if failed == _KILLED_BY_LIMIT:
        return NativePhase.TIMEOUT
    if (failed, status) == (_ASSUMED_FINISHED, _KILLED):
        return NativePhase.CANCELLED
    if failed in _NODE_FAILED:
        return NativePhase.NODE_FAILED
    return NativePhase.FAILED if failed or status else NativePhase.COMPLETED


def _time(text: str) -> datetime | None:
    """None: it has not happened."""
    seconds = count(text)
    if seconds > _MILLISECONDS_FROM:
        seconds //= 1000
    return instant(seconds) if seconds else None
