"""Which schedulers cannot be told what a job asks for, known before it is placed. Pure.

Each is asked by having it write the job's script: what it refuses then, it would refuse when the job is submitted.
"""

from dataclasses import replace
from datetime import timedelta
from functools import lru_cache
from operator import attrgetter
from typing import Any
from uuid import UUID

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.registry import DIALECTS, dialect_named
from paracloud.jobs.request import request
from paracloud.jobs.spec import JobSpec
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import JobId
from paracloud.placement.offer import Reason, Unsaid

_ASKED = (
    "tasks", "cores_per_task", "nodes", "tasks_per_node", "memory_per_node_bytes", "memory_per_core_bytes",
    "gpus_per_node", "gpu_model", "exclusive", "array", "hold", "requeue", "output", "error",
)  # fmt: skip
"""What it may hang on, beside the options that go to the scheduler as they are."""
_asks = attrgetter(*_ASKED)
_BARE = JobSpec("any", "#!/bin/sh\n", timedelta(hours=1))
_ANY_JOB = JobId(UUID(int=0))
_KEPT_MOST = 4096


def unsaid(spec: JobSpec) -> Unsaid:
    """What the jobs are that it depends on is left out: it has to go where they are."""
    if _is_plain(spec):
        return ()
    wall = spec.wall_limit if spec.extra else _BARE.wall_limit
    return _refused(_asks(spec), wall, tuple(sorted(spec.extra.items())))


def _is_plain(spec: JobSpec) -> bool:
    """So are most: tasks on any nodes, or on one, and nothing that a scheduler might not know."""
    is_special = spec.extra or spec.array or spec.exclusive or spec.hold or spec.requeue or spec.output or spec.error
    return not (is_special or spec.gpus_per_node or spec.tasks_per_node) and spec.nodes in (None, 1)


@lru_cache(maxsize=_KEPT_MOST)
def _refused(asked: tuple[Any, ...], wall: timedelta, extra: tuple[tuple[str, str], ...]) -> Unsaid:
    known: dict[str, Any] = dict(zip(_ASKED, asked, strict=True))
    spec = replace(_BARE, **known, wall_limit=wall, extra=dict(extra))
    return tuple((name, why) for name in DIALECTS if (why := _why_not(dialect_named(name), spec)) is not None)


def _why_not(dialect: Dialect, spec: JobSpec) -> Reason | None:
    try:
        dialect.script(request(_ANY_JOB, spec, "any", (), is_held=spec.hold))
    except Refused as no:
        return no.en, no.zh
    return None
