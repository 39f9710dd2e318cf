"""Accounting logs of OpenPBS and Torque: `time;type;id;key=value …`; an execution is told by its record of type E."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from paracloud.dialects.history import HistoryRecord, LeftOut, Told, unreadable
from paracloud.dialects.records import NativePhase
from paracloud.dialects.text import count, printable
from paracloud.kit.identifiers import NativeId

_HEAD = re.compile(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}")
_ID = re.compile(r"(\d{1,18})(?:\[(\d{0,9})\]|-(\d{1,9}))?(?:\..*)?", re.ASCII)
_SIZE = re.compile(r"(\d{1,18})(b|kb|mb|gb|tb|w)?", re.IGNORECASE | re.ASCII)
_UNITS = {"": 1, "b": 1, "kb": 1 << 10, "mb": 1 << 20, "gb": 1 << 30, "tb": 1 << 40, "w": 8}
_KINDS = {
    "Q": "queued",
    "S": "started",
    "D": "deleted",
    "A": "aborted",
    "R": "rerun",
    "L": "licence",
    "C": "checkpoint",
}
_CANCELLED, _TIMEOUT = 271, -29
"""256 + SIGTERM: deleted while it ran; Torque's JOB_EXEC_WALLTIME."""


def read(lines: Iterable[str]) -> Iterator[Told]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            yield _told(number, line)
        except (ValueError, KeyError) as reason:
            lack = ValueError(f"it lacks {reason.args[0]}", f"缺少 {reason.args[0]}")
            yield unreadable(number, line, lack if isinstance(reason, KeyError) else reason)


def _told(number: int, line: str) -> Told:
    head, *rest = line.rstrip("\n").split(";", 3)
    if len(rest) != 3 or not _HEAD.fullmatch(head):
        raise ValueError("it does not look like time;type;id;text", "格式应为 时间;类型;编号;内容")
    kind, job, text = rest
    if kind != "E":
        return LeftOut(number, _KINDS.get(kind, "no execution"))
    found = _ID.fullmatch(job)
    if found is None:
        raise ValueError(f"{job[:40]!r} is no job id", f"{job[:40]!r} 不是作业编号")
    index = found[2] or found[3]
    return _record(NativeId(found[1]), int(index) if index else None, _pairs(text))


def _record(native_id: NativeId, index: int | None, value: Mapping[str, str]) -> HistoryRecord:
    started, ended = _time(value["start"]), _time(value["end"])
    status, hosts = int(value.get("Exit_status", "0")), _hosts(value.get("exec_host", ""))
    cores = value.get("Resource_List.ncpus") or value.get("total_execution_slots") or str(sum(hosts.values()))
    nodes = value.get("Resource_List.nodect") or value.get("unique_node_count") or str(len(hosts))
    return HistoryRecord(
        native_id=native_id,
        task_index=index,
        name=printable(value.get("jobname", "")),
        account=printable(value.get("account") or value.get("project", "")).strip('"'),
        user=printable(value["user"], 64),
        group=printable(value.get("group", ""), 64),
        queue=printable(value["queue"], 200),
        qos="",
        phase=_phase(status),
        native_state=f"Exit_status={status}",
        exit_code=max(status, 0) % 256,
        exit_signal=status - 256 if 256 < status < 320 else 0,
        submitted_at=_time(value.get("ctime") or value.get("qtime") or value["start"]),
        started_at=started,
        ended_at=ended,
        elapsed_seconds=max(int((ended - started).total_seconds()), 0),
        cores=count(cores),
        nodes=count(nodes),
        gpus=count(value.get("Resource_List.ngpus", "0")),
        memory_bytes=_bytes(value["Resource_List.mem"]) if "Resource_List.mem" in value else 0,
        node_list=printable(",".join(hosts), 1000),
    )


def _pairs(text: str) -> dict[str, str]:
    """What has no `=` belongs to the value before it: a job's name may hold blanks."""
    found: dict[str, str] = {}
    last = ""
    for word in text.split(" "):
        name, equals, value = word.partition("=")
        if equals and re.fullmatch(r"[A-Za-z_][\w.]*", name):
            found[name], last = value, name
        elif last:
            found[last] += " " + word
    return found


def _hosts(text: str) -> dict[str, int]:
    """Cores by node, of n1/0*4+n2/0*4 (OpenPBS) or n1/0+n1/1 or n1/0-3 (Torque)."""
    cores: dict[str, int] = {}
    for part in filter(None, text.split("+")):
        node, _, slots = part.partition("/")
        many = re.fullmatch(r"\d+\*(\d+)", slots)
        span = re.fullmatch(r"(\d+)-(\d+)", slots)
        number = int(many[1]) if many else int(span[2]) - int(span[1]) + 1 if span else 1
        cores[node] = cores.get(node, 0) + number
    return cores


def _phase(status: int) -> NativePhase:
    if status == _CANCELLED:
        return NativePhase.CANCELLED
    if status == _TIMEOUT:
        return NativePhase.TIMEOUT
    return NativePhase.FAILED if status else NativePhase.COMPLETED


def _time(text: str) -> datetime:
    return datetime.fromtimestamp(count(text), UTC)


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text)
    if found is None:
        raise ValueError(f"{text[:40]!r} is no size", f"{text[:40]!r} 不是有效的大小")
    return int(found[1]) * _UNITS[(found[2] or "").lower()]
