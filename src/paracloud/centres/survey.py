"""What was found at a centre before it is connected. Values only."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from paracloud.dialects.records import NodeInfo, QueueInfo


class Level(StrEnum):
    """MISSING: without it the centre cannot be connected. ADVICE: it can, and something will hurt."""

    WELL = "well"
    ADVICE = "advice"
    MISSING = "missing"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: what it is, how it stands, and, unless all is well, what to do."""

    what: str
    level: Level
    en: str
    zh: str


@dataclass(frozen=True, slots=True)
class NodeType:
    """So many nodes that are alike."""

    nodes: int
    cores: int
    memory_bytes: int
    gpus: int
    gpu_model: str | None
    queues: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """`dialect` and `version` are None where no scheduler answered; `clock_ahead`: of the centre before ours."""

    findings: tuple[Finding, ...]
    dialect: str | None = None
    version: str | None = None
    time_zone: str | None = None
    clock_ahead: timedelta | None = None
    queues: tuple[QueueInfo, ...] = ()
    node_types: tuple[NodeType, ...] = ()

    @property
    def is_fit(self) -> bool:
        return is_fit(self.findings)


def is_fit(findings: Iterable[Finding]) -> bool:
    """Nothing is missing."""
    return all(one.level is not Level.MISSING for one in findings)


def well(what: str, en: str, zh: str) -> Finding:
    return Finding(what, Level.WELL, en, zh)


def advice(what: str, en: str, zh: str) -> Finding:
    return Finding(what, Level.ADVICE, en, zh)


def missing(what: str, en: str, zh: str) -> Finding:
    return Finding(what, Level.MISSING, en, zh)


def node_types(nodes: tuple[NodeInfo, ...]) -> tuple[NodeType, ...]:
    """Most nodes first. Memory counts in whole GiB: two deliveries of one node differ by a few MiB."""
    counted: dict[tuple[int, int, int, str | None, tuple[str, ...]], int] = {}
    for one in nodes:
        key = (one.cores, one.memory_bytes >> 30 << 30, one.gpus, one.gpu_model, tuple(sorted(one.queues)))
        counted[key] = counted.get(key, 0) + 1
    found = [NodeType(number, *key) for key, number in counted.items()]
    return tuple(sorted(found, key=lambda one: (-one.nodes, one.queues, -one.cores)))
