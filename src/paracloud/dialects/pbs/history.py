"""Accounting logs of OpenPBS and Torque: `time;type;id;key=value …`; an execution is told by its record of type E."""

import re
from collections.abc import Iterable, Iterator, Mapping

from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, LeftOut, Told, each
from paracloud.dialects.records import NativePhase
from paracloud.dialects.text import clock, count, few, instant, printable
from paracloud.kit.identifiers import NativeId

_HEAD = re.compile(r"\d{2}/\d{2}/\d{4} \d{2}:\d{2}:\d{2}", re.ASCII)
_ID = re.compile(r"(\d{1,18})(?:\[(\d{0,9})\]|-(\d{1,9}))?(?:\..*)?", re.ASCII)
_KEY = re.compile(r"[A-Za-z_][\w.]*", re.ASCII)
_STATUS = re.compile(r"-?\d{1,9}", re.ASCII)
_MANY = re.compile(r"\d{1,9}\*(\d{1,9})", re.ASCII)
_SPAN = re.compile(r"(\d{1,9})-(\d{1,9})", re.ASCII)
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
_TOLD_BY = {"Resource_List.mem": "memory_bytes", "exec_host": "node_list"}
_FIGURES = frozenset(
    {"queue", "ctime", "qtime", "etime", "start", "end", "Exit_status", "exec_host", "exec_vnode", "exec_gpus"}
    | {"total_execution_slots", "unique_node_count"}
)
STATE = r"Exit_status=-?\d{1,9}"
"""Of a record's `native_state`."""
_CANCELLED, _TIMEOUT = 271, -29
"""256 + SIGTERM: deleted while it ran; Torque's JOB_EXEC_WALLTIME."""


def read(lines: Iterable[str]) -> Iterator[Told]:
    return each(lines, _tell)


def _tell(number: int, text: str) -> Iterator[Told]:
    kind, job, said = parts_of(text)
    if kind != "E":
        yield LeftOut(number, _KINDS.get(kind, "no execution"))
        return
    found = _ID.fullmatch(job)
    if found is None:
        raise ValueError(f"{job[:40]!r} is no job id", f"{job[:40]!r} 不是作业编号")
    if found[2] == "":
        # OpenPBS ends an array as a whole too; its hours are those of its tasks, each told by a record of its own.
        yield LeftOut(number, "array as a whole")
        return
    value, index = pairs_of(said), found[2] or found[3]
    if _of(value, "start") == "0":
        yield LeftOut(number, "never started")
        return
    yield execution(NativeId(found[1]), int(index) if index else None, value, text)


def parts_of(text: str) -> tuple[str, str, str]:
    """Type, id and text of a line. ValueError for what is none."""
    head, *rest = text.split(";", 3)
    if len(rest) != 3 or not _HEAD.fullmatch(head):
        raise ValueError("it does not look like time;type;id;text", "格式应为 时间;类型;编号;内容")
    return rest[0], rest[1], rest[2]


def execution(job: NativeId, index: int | None, value: Mapping[str, str], text: str) -> HistoryRecord:
    """What a record of type E says in `value`, by its own names; qstat tells the same of an ended job."""
    started, ended = instant(count(_of(value, "start"))), instant(count(_of(value, "end")))
    status, hosts = status_of(_of(value, "Exit_status")), _hosts(value.get("exec_host", ""))
    cores = _cores(value, hosts)
    eligible, limit = value.get("etime", "0"), value.get("Resource_List.walltime")
    nodes = value.get("Resource_List.nodect") or value.get("unique_node_count") or str(len(hosts))
    return HistoryRecord(
        native_id=job,
        record_id=job,
        usage_id=job if index is None else NativeId(f"{job}[{index}]"),
        task_index=index,
        cluster="",
        name=printable(value.get("jobname", "")),
        account=printable(value.get("account") or value.get("project", "")).strip('"'),
        user=printable(_of(value, "user"), 64),
        group=printable(value.get("group", ""), 64),
        queue=printable(_of(value, "queue"), 200),
        qos="",
        phase=phase_of(status),
        native_state=f"Exit_status={status}",
        exit_code=max(status, 0) % 256,
        exit_signal=status - 256 if 256 < status < 320 else 0,
        submitted_at=instant(count(value.get("ctime") or value.get("qtime") or value["start"])),
        eligible_at=instant(count(eligible)) if eligible != "0" else None,
        started_at=started,
        ended_at=ended,
        elapsed_seconds=max(int((ended - started).total_seconds()), 0),
        wall_limit=clock(limit) if limit else None,
        requested_cores=few(value.get("Resource_List.ncpus") or str(cores)),
        cores=cores,
        nodes=few(nodes),
        gpus=_gpus(value),
        memory_bytes=_bytes(value["Resource_List.mem"]) if "Resource_List.mem" in value else 0,
        node_list=printable(",".join(hosts), 1000),
        raw=printable(text, RAW_LIMIT),
        unsaid=_unsaid(value),
    )


def _of(value: Mapping[str, str], name: str) -> str:
    if name not in value:
        raise ValueError(f"it lacks {name}", f"缺少 {name}")
    return value[name]


def pairs_of(text: str) -> dict[str, str]:
    """What has no `=` belongs to the value before it: a job's name may hold blanks. OpenPBS writes the account in
    quotes. What a user wrote stands before the queue, or behind it as a value of the Resource_List: a figure that is
    said before the queue, or twice, is the user's word, and then the line says nothing certain (ValueError)."""
    found: dict[str, str] = {}
    last = ""
    words = iter(text.split(" "))
    for word in words:
        name, equals, value = word.partition("=")
        if not (equals and _KEY.fullmatch(name)):
            if last:
                found[last] += " " + word
            continue
        if name in found and _is_figure(name):
            raise ValueError(f"it says {name} twice", f"{name} 出现了两次")
        found[name], last = _unquoted(value, words), name
        if name == "queue" and (early := next((one for one in found if _is_figure(one) and one != name), None)):
            raise ValueError(f"it says {early} in a user's text", f"{early} 出现在用户文本中")
    return found


def _is_figure(name: str) -> bool:
    return name in _FIGURES or name.startswith("Resource_List.")


def _unquoted(value: str, more: Iterator[str]) -> str:
    if not value.startswith('"'):
        return value
    while len(value) < 2 or not value.endswith('"'):
        word = next(more, None)
        if word is None:
            raise ValueError("a quotation in it has no end", "其中的引号没有结束")
        value += " " + word
    return value[1:-1]


def _cores(value: Mapping[str, str], hosts: Mapping[str, int]) -> int:
    """The most that any field says: Torque's ncpus may be a queue's default of 1 beside nodes=2:ppn=4, and PBS on one
    large machine lists its only host once for all cores."""
    told = [few(value[name]) for name in ("Resource_List.ncpus", "total_execution_slots") if name in value]
    cores = max([*told, sum(hosts.values())])
    if not told and not hosts:
        raise ValueError("it does not say how many cores it had", "未说明使用了多少核")
    return few(str(cores))


def _gpus(value: Mapping[str, str]) -> int:
    """OpenPBS counts them; Torque lists them as n1-gpu/0+n1-gpu/1. Else the most that is said of what was given,
    (n1:ncpus=4:ngpus=1)+(n2:ncpus=4:ngpus=1), or asked for: select=2:ncpus=4:ngpus=1, nodes=2:ppn=4:gpus=1."""
    listed = [part for part in value.get("exec_gpus", "").split("+") if part]
    told = max(few(value.get("Resource_List.ngpus", "0")), len(listed))
    if told:
        return told
    given = re.sub(r"[()]", "", value.get("exec_vnode", ""))
    asked, nodes = value.get("Resource_List.select", ""), value.get("Resource_List.nodes", "")
    return max(_in_chunks(given, "ngpus"), _in_chunks(asked, "ngpus"), _in_chunks(nodes, "gpus"))


def _in_chunks(text: str, name: str) -> int:
    return few(str(sum(_times(part) * _of_chunk(part, name) for part in text.split("+"))))


def _of_chunk(chunk: str, name: str) -> int:
    return sum(few(word.removeprefix(f"{name}=")) for word in chunk.split(":") if word.startswith(f"{name}="))


def _times(chunk: str) -> int:
    """How many of a chunk there are: 2:ncpus=4. One where it is not said, or where a node is named."""
    first = chunk.partition(":")[0]
    return few(first) if first.isdigit() else 1


def _unsaid(value: Mapping[str, str]) -> frozenset[str]:
    return frozenset({"qos", "resources", *(name for key, name in _TOLD_BY.items() if key not in value)})


def _hosts(text: str) -> dict[str, int]:
    """Cores by node, of n1/0*4+n2/0*4 (OpenPBS) or n1/0+n1/1 or n1/0-3 (Torque)."""
    cores: dict[str, int] = {}
    for part in filter(None, text.split("+")):
        node, _, slots = part.partition("/")
        cores[node] = cores.get(node, 0) + sum(_slots(some) for some in slots.split(","))
    return cores


def _slots(text: str) -> int:
    if many := _MANY.fullmatch(text):
        return int(many[1])
    if span := _SPAN.fullmatch(text):
        return max(int(span[2]) - int(span[1]), 0) + 1
    return 1


def status_of(text: str) -> int:
    if not _STATUS.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no exit status", f"{text[:40]!r} 不是有效的退出状态")
    return int(text)


def phase_of(status: int) -> NativePhase:
    if status == _CANCELLED:
        return NativePhase.CANCELLED
    if status == _TIMEOUT:
        return NativePhase.TIMEOUT
    return NativePhase.FAILED if status else NativePhase.COMPLETED


def _bytes(text: str) -> int:
    found = _SIZE.fullmatch(text)
    size = int(found[1]) * _UNITS[(found[2] or "").lower()] if found else 1 << 63
    if size >= 1 << 63:
        raise ValueError(f"{text[:40]!r} is no size", f"{text[:40]!r} 不是有效的大小")
    return size
