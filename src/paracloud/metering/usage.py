"""What was used, as the centre's accounting says it: the only thing that is ever charged. Pure."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, NamedTuple

from paracloud.dialects.history import HistoryRecord
from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.dialects.resources import NOTHING
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import CentreName, NativeId, ProjectId, UnixAccount, UsageId, new_uuid

MOST_CORES = 10**8
"""Ten times the largest machine there is; with MOST_SECONDS, core-seconds stay within a BIGINT."""
MOST_SECONDS = 10**10
MOST_BYTES = 2**63 - 1
AHEAD = timedelta(days=1)
"""A centre's clock, or the zone that its log is written in, may be so far ahead of ours."""
MOST_RESOURCES = 64
"""Of a record; of each at most MOST_BYTES: a hostile centre fills no disk."""


class UsageKey(NamedTuple):
    """Makes a record count once, however often it is read. Ids recycle, so the submit time belongs to it; a requeued
    execution is a usage of its own, so the restart count does too."""

    centre: CentreName
    record_id: NativeId
    submitted_at: datetime
    restart_count: int


@dataclass(frozen=True, slots=True)
class Usage:
    """One execution of one task. `reference` is the job that it belongs to, an opaque text here; None: started by hand,
    or a duplicate. `revision` counts how often the centre changed its mind, or a person had it charged anew, from 1."""

    id: UsageId
    key: UsageKey
    revision: int
    project: ProjectId
    account: UnixAccount
    reference: str | None
    is_duplicate: bool
    native_id: NativeId
    task_index: int | None
    name: str
    queue: str
    qos: str
    phase: NativePhase
    native_state: str
    exit_code: int
    exit_signal: int
    started_at: datetime | None
    ended_at: datetime
    elapsed_seconds: int
    cores: int
    nodes: int
    gpus: int
    memory_bytes: int
    node_list: str
    resources: Mapping[str, int] = field(default_factory=lambda: NOTHING, hash=False)
    unsaid: frozenset[str] = frozenset()
    """Those of QUANTITIES that no source has told: here they are zero or one, but nobody knows."""

    @property
    def core_seconds(self) -> int:
        return self.cores * self.elapsed_seconds

    @property
    def gpu_seconds(self) -> int:
        return self.gpus * self.elapsed_seconds


@dataclass(frozen=True, slots=True)
class Claim:
    """What our own book says about a record: the job it belongs to, or that it is a duplicate of one (the platform's
    cost, not the project's)."""

    reference: str | None
    is_duplicate: bool = False


UNCLAIMED = Claim(None)
MEASURED = (
    "queue", "qos", "phase", "native_state", "exit_code", "exit_signal", "started_at", "ended_at", "elapsed_seconds",
    "cores", "nodes", "gpus", "memory_bytes", "node_list", "resources", "unsaid",
)  # fmt: skip
"""The fields that a centre may correct later; the others say which execution it is."""
CHARGEABLE = (
    "queue", "qos", "phase", "native_state", "elapsed_seconds", "cores", "nodes", "gpus", "memory_bytes",
    "resources", "unsaid",
)  # fmt: skip
"""Those of them that a price or a charging rule looks at."""
QUANTITIES = frozenset({"cores", "nodes", "gpus", "memory_bytes", "resources"})
_OURS = re.compile(r"pc-[0-9a-f]{32}")
_NOT_KEPT: Mapping[str, object] = {"qos": "", "resources": NOTHING, "unsaid": frozenset()}


def is_named_as_ours(name: str) -> bool:
    """Whether a centre's job has the name that the platform gives to its own."""
    return _OURS.fullmatch(name) is not None


def key_of(centre: CentreName, record: AccountingRecord) -> UsageKey:
    return UsageKey(centre, record.record_id, record.submitted_at, record.restart_count)


figures_of: Callable[[AccountingRecord | Usage], tuple[Any, ...]] = attrgetter(*MEASURED)
"""Their values, in the order of MEASURED, which is that of the usage's last fields."""


def measured(record: AccountingRecord | Usage) -> Mapping[str, object]:
    return dict(zip(MEASURED, figures_of(record), strict=True))


def differs(known: Usage, record: AccountingRecord) -> bool:
    return figures_of(known) != figures_of(completed(known, record))


def costs_alike(usage: Usage, before: Mapping[str, object]) -> bool:
    """Whether nothing that is charged for has changed since `before`, which is measured by the names of MEASURED.
    Revisions of before a figure was kept say nothing of it: as much as none."""
    return all(getattr(usage, name) == before.get(name, _NOT_KEPT.get(name)) for name in CHARGEABLE)


def completed(known: Usage, record: AccountingRecord) -> AccountingRecord:
    """With what is known of this execution, where the record does not say it: what neither says stays unsaid. How long
    it ran is known only while it began and ended when it did."""
    unsaid = record.unsaid
    if not unsaid:
        return record
    is_same_span = (known.started_at, known.ended_at) == (record.started_at, record.ended_at)
    kept = unsaid if is_same_span else unsaid - {"elapsed_seconds"}
    same: dict[str, Any] = {name: getattr(known, name) for name in kept}
    return replace(record, **same | {"unsaid": unsaid & known.unsaid})


def require_possible(record: AccountingRecord | HistoryRecord) -> None:
    """Broken for figures that no machine can have: negative, beyond every computer, of a run that never began, or of
    more kinds of resources than anybody is given."""
    is_in_range = (
        0 <= record.elapsed_seconds <= MOST_SECONDS
        and 0 <= record.cores <= MOST_CORES
        and 0 <= record.nodes <= MOST_CORES
        and 0 <= record.gpus <= MOST_CORES
        and 0 <= record.memory_bytes <= MOST_BYTES
    )
    if record.resources:
        counts = record.resources.values()
        is_in_range = is_in_range and len(counts) <= MOST_RESOURCES and min(counts) >= 0 and max(counts) <= MOST_BYTES
    if not is_in_range or (record.started_at is None and record.elapsed_seconds > 0):
        raise Broken(
            f"The centre's accounting reports impossible figures for {record.record_id}; nothing of it is charged.",
            f"超算中心的记账数据中 {record.record_id} 的数值不可能成立；不予计费。",
            evidence=record.raw.encode(errors="replace"),
        )


def require_over(record: AccountingRecord, now: datetime) -> None:
    """Broken for an end to come: it would be paid now, and stand on no bill for years."""
    if record.ended_at > now + AHEAD:
        end = f"{record.ended_at:%Y-%m-%dT%H:%M:%SZ}"
        raise Broken(
            f"The centre's accounting says that {record.record_id} ends at {end}, still to come; nothing is charged.",
            f"超算中心的记账数据称 {record.record_id} 于 {end} 结束，该时间尚未到来；不予计费。",
            evidence=record.raw.encode(errors="replace"),
        )


def metered(key: UsageKey, record: AccountingRecord, project: ProjectId, claim: Claim) -> Usage:
    """A new usage, in its first revision."""
    figures = (*figures_of(record)[:-1], record.unsaid & QUANTITIES)
    return Usage(
        UsageId(new_uuid()), key, 1, project, record.account, claim.reference, claim.is_duplicate,
        record.native_id, record.task_index, record.name, *figures,
    )  # fmt: skip


def revised(known: Usage, record: AccountingRecord) -> Usage:
    """The next revision, with the record's figures."""
    same: dict[str, Any] = dict(measured(completed(known, record)))
    return replace(known, revision=known.revision + 1, **same)
