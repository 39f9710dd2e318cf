"""What sets one PBS apart from another, as values: everything else is the same code."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from paracloud.dialects.answers import Answers
from paracloud.dialects.records import NodeInfo, QueueInfo, Request


@dataclass(frozen=True, slots=True)
class Cluster:
    """The words of three commands that tell of queues, server and nodes, and what reads their answers, in this order.
    ValueError for what is not understood."""

    queues: tuple[str, ...]
    server: tuple[str, ...]
    nodes: tuple[str, ...]
    read: Callable[[str, str, str], tuple[list[QueueInfo], list[NodeInfo]]]
    read_version: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class Flavour:
    """`listing` and `finished` show jobs whose ids follow; `ended` picks the ids of jobs that ended (in it SINCE stands
    for a time), `look_up` those that have a name. `resources` writes what a job asks for as PBS directives, `array` the
    option for its tasks, `array_kind` the dependency on an array."""

    answers: Answers
    listing: tuple[str, ...]
    finished: tuple[str, ...]
    ended: tuple[str, ...]
    look_up: tuple[str, ...]
    read_jobs: Callable[[str], Mapping[str, Mapping[str, str]]]
    resources: Callable[[Request], Iterable[str]]
    array: Callable[[str], str]
    array_kind: Callable[[str], str]
    cluster: Cluster
    program: str
    """The guard's."""
