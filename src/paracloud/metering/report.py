"""Sums of usage by day or month and by where, whose and what: jobs and hours. Pure: seconds are whole numbers, split
exactly at midnight (UTC), and become hours at the very end."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from hashlib import blake2b

from paracloud.dialects.history import HistoryRecord
from paracloud.kit.errors import Invalid

SECONDS_AN_HOUR = 3600
DECIMALS = Decimal("0.000001")
DAY = timedelta(days=1)


class By(StrEnum):
    """What a row of a report stands for."""

    DAY = "day"
    MONTH = "month"
    CENTRE = "centre"
    QUEUE = "queue"
    PROJECT = "project"
    USER = "user"
    PRODUCT_LINE = "product-line"


@dataclass(frozen=True, slots=True)
class Execution:
    """What a report is about: one ended execution, and whose it was. `key` tells executions apart: one that comes twice
    counts once."""

    key: tuple[object, ...]
    centre: str
    queue: str
    project: str
    user: str
    product_line: str
    submitted_at: datetime
    started_at: datetime
    ended_at: datetime
    cores: int
    nodes: int
    gpus: int


@dataclass(slots=True)
class Sums:
    """`jobs` counts those that ended in the time; wait is booked where the job started; the others are split."""

    jobs: int = 0
    core_seconds: int = 0
    node_seconds: int = 0
    gpu_seconds: int = 0
    wall_seconds: int = 0
    wait_seconds: int = 0

    def hours(self) -> dict[str, int | Decimal]:
        seconds = {
            "core_hours": self.core_seconds,
            "node_hours": self.node_seconds,
            "gpu_hours": self.gpu_seconds,
            "wall_hours": self.wall_seconds,
            "wait_hours": self.wait_seconds,
        }
        return {"jobs": self.jobs} | {
            name: (Decimal(value) / SECONDS_AN_HOUR).quantize(DECIMALS) for name, value in seconds.items()
        }


class Report:
    """Takes executions as they come; `rows` are what it came to, in the order of their names."""

    def __init__(self, by: Sequence[By]) -> None:
        self._by = tuple(by)
        self._sums: dict[tuple[str, ...], Sums] = {}
        self._seen: set[bytes] = set()
        self.repeated = 0

    def add(self, one: Execution) -> None:
        # Of ten million keys the digests need a GiB less than the keys themselves, and no two of them will ever meet.
        mark = blake2b("\0".join(map(str, one.key)).encode(), digest_size=16).digest()
        if mark in self._seen:
            self.repeated += 1
            return
        self._seen.add(mark)
        started, ended = one.started_at, max(one.ended_at, one.started_at)
        self._of(one, ended).jobs += 1
        self._of(one, started).wait_seconds += max(_seconds(one.started_at - one.submitted_at), 0)
        for at, seconds in self._parts(started, ended):
            sums = self._of(one, at)
            sums.core_seconds += one.cores * seconds
            sums.node_seconds += one.nodes * seconds
            sums.gpu_seconds += one.gpus * seconds
            sums.wall_seconds += seconds

    def rows(self) -> Iterator[Mapping[str, object]]:
        for names, sums in sorted(self._sums.items()):
            yield {by.value: name for by, name in zip(self._by, names, strict=True)} | {**sums.hours()}

    def _parts(self, started: datetime, ended: datetime) -> Iterable[tuple[datetime, int]]:
        if By.DAY in self._by or By.MONTH in self._by:
            return by_day(started, ended)
        return ((started, _seconds(ended - started)),)

    def _of(self, one: Execution, at: datetime) -> Sums:
        names = tuple(_name(by, one, at) for by in self._by)
        if (found := self._sums.get(names)) is None:
            found = self._sums[names] = Sums()
        return found


def by_day(started: datetime, ended: datetime) -> Iterator[tuple[datetime, int]]:
    """(a moment of the day, seconds of it that lie between the two), UTC; nothing where no second lies between."""
    at = started
    while at < ended:
        midnight = at.replace(hour=0, minute=0, second=0, microsecond=0) + DAY
        until = min(midnight, ended)
        yield at, _seconds(until - at)
        at = until


def execution(record: HistoryRecord, centre: str, *, product_line: str = "") -> Execution:
    """Of an old log, where the scheduler's account is the project. One record counts for each id, task, submission and
    end."""
    return Execution(
        key=(centre, record.native_id, record.task_index, record.submitted_at, record.ended_at),
        centre=centre,
        queue=record.queue,
        project=record.account,
        user=record.user,
        product_line=product_line,
        submitted_at=record.submitted_at,
        started_at=record.started_at,
        ended_at=record.ended_at,
        cores=record.cores,
        nodes=record.nodes,
        gpus=record.gpus,
    )


def read_by(text: str) -> tuple[By, ...]:
    """Invalid for a word that is none, for none at all, and for a repeated one."""
    words = text.split(",")
    known = {one.value: one for one in By}
    wrong = [word for word in words if word not in known or words.count(word) > 1]
    if wrong or {"day", "month"} <= set(words):
        names = ", ".join(known)
        raise Invalid(
            f"A report is by some of {names}, each once and not both day and month; not {text[:80]!r}.",
            f"报表维度可选 {names}，不可重复，day 与 month 只能取其一；而不是 {text[:80]!r}。",
            field="by",
        )
    return tuple(known[word] for word in words)


def _name(by: By, one: Execution, at: datetime) -> str:
    if by is By.DAY:
        return at.astimezone(UTC).isoformat()[:10]
    if by is By.MONTH:
        return at.astimezone(UTC).isoformat()[:7]
    return str(getattr(one, by.value.replace("-", "_")))


def _seconds(span: timedelta) -> int:
    return span.days * 86400 + span.seconds
