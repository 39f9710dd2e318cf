"""Grid Engine's accounting file: one line an execution, fields between colons (man 5 accounting)."""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime

from paracloud.dialects.gridengine.line import NO_REQUEST, asked, may_go_on, values_of
from paracloud.dialects.gridengine.text import size_bytes
from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, LeftOut, Told, each
from paracloud.dialects.records import NativePhase
from paracloud.dialects.text import clock, count, few, instant, printable
from paracloud.kit.identifiers import NativeId

_MILLISECONDS_FROM = 10**11
"""Later Grid Engines write milliseconds; no time in seconds is that large for three thousand years."""
_WALL = re.compile(r"\bh_rt=(\d[\d:]{0,20})", re.ASCII)
_CARDS = ("gpu", "gpus", "ngpus")
_WHOLE = re.compile(r"0[xX][0-9a-fA-F]{1,8}|[1-9]\d{0,5}|0", re.ASCII)
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
    return each(lines, Reading().tell)


class Reading:
    """Of lines in the order of the file: who may have written the next one into a request of their own."""

    def __init__(self) -> None:
        self._author: str | None = None
        """None: nobody. Empty: nobody knows who."""

    def tell(self, number: int, text: str) -> Iterator[Told]:
        """ValueError for what is not understood, or may be another's text."""
        if text.startswith("#"):
            yield LeftOut(number, "remark")
            return
        author, self._author = self._author, ""
        value = values_of(text)
        if value["category"] != NO_REQUEST:
            self._author = value["owner"] if may_go_on(value["category"]) else None
        else:
            self._author = author
            if author is not None and author != value["owner"]:
                raise ValueError(
                    "the line before holds a free text, which this line may be a part of",
                    "前一行含有自由文本，本行可能是其中的一部分",
                )
        yield _told(number, value, text)


def _told(number: int, value: Mapping[str, str], text: str) -> Told:
    started, ended = moment(value["start_time"]), moment(value["end_time"])
    if value["pe_taskid"] not in ("NONE", ""):
        return LeftOut(number, "step")
    if started is None:
        return LeftOut(number, "never started")
    if ended is None:
        return LeftOut(number, "not ended")
    return _record(value, started, ended, text)


def _record(value: Mapping[str, str], started: datetime, ended: datetime, text: str) -> HistoryRecord:
    failed, status = few(value["failed"].partition(" ")[0]), few(value["exit_status"])
    cards, limit = [_whole(one) for one in asked(text, *_CARDS)], _WALL.search(value["category"])
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
        submitted_at=moment(value["submission_time"]) or started,
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
        gpus=few(str(max(cards) * slots)) if cards else 0,
        memory_bytes=0,
        node_list=printable(value["hostname"], 1000),
        raw=printable(text, RAW_LIMIT),
        unsaid=_UNSAID,
    )


def booked_memory(record: HistoryRecord, text: str) -> int | None:
    """Bytes that the request of h_vmem in its line, once a slot, had booked. None: it asked for none. ValueError: what
    it asked for is not understood."""
    sizes = [size_bytes(one) for one in asked(text, "h_vmem")]
    return max(sizes) * record.cores if sizes else None


def gpus_of_job(record: HistoryRecord) -> int:
    """The cards of a record whose `gpu` is known to count for the job (man 5 complex, consumable JOB)."""
    return record.gpus // record.cores if record.cores else 0


def _whole(text: str) -> int:
    """Grid Engine reads hexadecimal numbers too; of others that it may read this one is not certain."""
    if not _WHOLE.fullmatch(text):
        raise ValueError(f"{text[:40]!r} is no number of cards", f"{text[:40]!r} 不是有效的卡数")
    return int(text, 0)


def _phase(failed: int, status: int) -> NativePhase:
    if failed == _KILLED_BY_LIMIT:
        return NativePhase.TIMEOUT
    if (failed, status) == (_ASSUMED_FINISHED, _KILLED):
        return NativePhase.CANCELLED
    if failed in _NODE_FAILED:
        return NativePhase.NODE_FAILED
    return NativePhase.FAILED if failed or status else NativePhase.COMPLETED


def moment(text: str) -> datetime | None:
    """None: it has not happened."""
    seconds = count(text)
    if seconds > _MILLISECONDS_FROM:
        seconds //= 1000
    return instant(seconds) if seconds else None
