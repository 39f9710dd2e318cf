"""Sums of usage by day or month and by where, whose and what: jobs and hours. Pure: seconds are whole numbers, split
exactly at midnight (UTC), and become hours at the very end."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from enum import StrEnum
from functools import lru_cache
from math import floor

from paracloud.dialects.history import HistoryRecord
from paracloud.kit.errors import Invalid
from paracloud.metering.marks import Marks, Seen

SECONDS_AN_HOUR = 3600
DECIMALS = Decimal("0.000001")
SECONDS_A_DAY = 86400
_EPOCH = date(1970, 1, 1).toordinal()


class By(StrEnum):
    """What a row of a report stands for."""

    DAY = "day"
    MONTH = "month"
    CENTRE = "centre"
    QUEUE = "queue"
    PROJECT = "project"
    USER = "user"
    PRODUCT_LINE = "product-line"


_TIMES = frozenset({By.DAY, By.MONTH})


@dataclass(frozen=True, slots=True)
class Execution:
    """What a report is about: one ended execution, and whose it was. `key` tells executions apart: one that comes twice
    counts once, as it was told last."""

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

    @property
    def told(self) -> tuple[object, ...]:
        """All but the key and the submission, which is a part of it."""
        whose = self.queue, self.project, self.user, self.product_line
        return *whose, self.started_at, self.ended_at, self.cores, self.nodes, self.gpus


@dataclass(slots=True)
class Sums:
    """`jobs` counts those that ended on the day (XDMoD's job_count, neither its started nor its running one). The wait,
    from submission to start, is booked on the day of the start. Wall, core, node and GPU time is split over the days
    that it was used on; an end before the start counts as no time."""

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
    """Takes executions as they come; `rows` are what it came to, in the order of their names. `repeated` counts those
    that came before. `changed` holds what came again with other figures, as it came last, and the sums do not hold it
    yet: whoever finds any there adds all to a second report once more, whose `last` they are."""

    def __init__(self, by: Sequence[By], last: Mapping[tuple[object, ...], Execution] | None = None) -> None:
        self._by = tuple(by)
        self._label = _month if By.MONTH in by else _day if By.DAY in by else _always
        self._fields = tuple(one.value.replace("-", "_") for one in by if one not in _TIMES)
        self._sums: dict[tuple[str, tuple[str, ...]], Sums] = {}
        """By label of the time, and by the other names."""
        self._seen = Marks()
        self.repeated = 0
        self.changed: dict[tuple[object, ...], Execution] = {}
        for one in (last or {}).values():
            self._sum(one)
        self._last = frozenset(last or ())

    def add(self, one: Execution) -> None:
        if one.key in self._last:
            return
        seen = self._seen.add(one.key, one.told)
        if seen is Seen.NEW:
            self._sum(one)
            return
        self.repeated += 1
        if seen is Seen.CHANGED:
            self.changed[one.key] = one

    def _sum(self, one: Execution) -> None:
        started, ended = _second(one.started_at), _second(one.ended_at)
        names = tuple([getattr(one, field) for field in self._fields])
        self._of(started, names).wait_seconds += max(started - _second(one.submitted_at), 0)
        self._of(ended, names).jobs += 1
        for at, seconds in by_day(started, ended):
            sums = self._of(at, names)
            sums.core_seconds += one.cores * seconds
            sums.node_seconds += one.nodes * seconds
            sums.gpu_seconds += one.gpus * seconds
            sums.wall_seconds += seconds

    def rows(self) -> Iterator[Mapping[str, object]]:
        found = [(self._names(*key), sums) for key, sums in self._sums.items()]
        for names, sums in sorted(found, key=lambda row: row[0]):
            yield {by.value: name for by, name in zip(self._by, names, strict=True)} | {**sums.hours()}

    def _of(self, second: int, names: tuple[str, ...]) -> Sums:
        key = (self._label(second // SECONDS_A_DAY), names)
        if (found := self._sums.get(key)) is None:
            found = self._sums[key] = Sums()
        return found

    def _names(self, label: str, others: tuple[str, ...]) -> tuple[str, ...]:
        """As they were asked for: the time stands where it stood among the others."""
        rest = iter(others)
        return tuple(label if by in _TIMES else next(rest) for by in self._by)


def by_day(started: int, ended: int) -> Iterator[tuple[int, int]]:
    """(a second of the day, how many of its seconds lie between the two), in seconds since 1970, UTC; nothing where no
    second lies between."""
    at = started
    while at < ended:
        until = min(at - at % SECONDS_A_DAY + SECONDS_A_DAY, ended)
        yield at, until - at
        at = until


def execution(record: HistoryRecord, centre: str, *, product_line: str = "") -> Execution:
    """Of an old log, where the scheduler's account is the project. One record counts for each usage, as it does where
    the log is stored."""
    return Execution(
        key=(centre, record.usage_id, record.submitted_at),
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


@lru_cache(None)
def _day(day: int) -> str:
    return date.fromordinal(_EPOCH + day).isoformat()


@lru_cache(None)
def _month(day: int) -> str:
    return _day(day)[:7]


def _always(_day: int) -> str:
    return ""


def _second(at: datetime) -> int:
    """Since 1970. Parts of one are cut off at both ends alike, so that the days of a span are all of it."""
    return floor(at.timestamp())
