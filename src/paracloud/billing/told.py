"""What a centre tells of a usage, what it need not tell, and what the usage is by that. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Protocol

from paracloud.billing.rule import LISTED
from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount
from paracloud.metering.usage import UNCLAIMED, Usage, UsageKey, differs, metered, revised

ROUNDED = frozenset({"memory_bytes"})
"""In a log that was written without --noconvert; what the centre tells is exact."""


@dataclass(frozen=True, slots=True)
class Logged:
    """What an old log told, and whose it is."""

    record: AccountingRecord
    project: ProjectId


class Logs(Protocol):
    """Where what old logs told of what ended at a centre in [start, end) can be read; NotFound where one is gone."""

    async def __call__(self, centre: CentreName, start: datetime, end: datetime) -> Sequence[Logged]: ...


def truth_of(
    key: UsageKey, record: AccountingRecord, known: Usage | None, owners: Mapping[UnixAccount, ProjectId]
) -> Usage:
    """The usage with the centre's figures; it itself, where they are the same. What is not known is of a lent account,
    and what is of another came from a log."""
    if known is None:
        return metered(key, record, owners[record.account], UNCLAIMED)
    if record.account not in owners:
        record = without_rounded(record)
    return revised(known, record) if differs(known, record) else known


def without_rounded(record: AccountingRecord) -> AccountingRecord:
    return replace(record, unsaid=record.unsaid | ROUNDED)


def untold_of(
    ours: Mapping[UsageKey, Usage],
    told: Mapping[UsageKey, AccountingRecord],
    owners: Mapping[UnixAccount, ProjectId],
    since: datetime,
) -> dict[UsageKey, Usage]:
    """What the centre is silent of without a record being lost: what ended before it was connected, for old accounting
    is thrown away; and history of accounts that it does not lend, where it shows us nobody's but the lent ones'
    (Slurm's PrivateData is one for all). Our own books of it are looked at all the same."""
    shows_others = any(one.account not in owners for one in told.values())
    return {
        key: usage
        for key, usage in ours.items()
        if key not in told and (usage.ended_at < since or (usage.account not in owners and not shows_others))
    }


def changes(ours: Usage, truth: Usage) -> tuple[str, str]:
    """What of its figures is another, in English and Chinese."""
    names = [name for name in ("elapsed_seconds", "cores", "nodes", "gpus", "queue", "native_state", "ended_at")
             if getattr(ours, name) != getattr(truth, name)]  # fmt: skip
    changed = [f"{name} {getattr(ours, name)} -> {getattr(truth, name)}" for name in names]
    changed += [
        f"{name} {ours.resources.get(name, 0)} -> {truth.resources.get(name, 0)}"
        for name in sorted({*ours.resources, *truth.resources})
        if ours.resources.get(name, 0) != truth.resources.get(name, 0)
    ]
    said = ", ".join(changed[:LISTED] + ["…"] * (len(changed) > LISTED)) or "other figures"
    return f"the centre has changed {said}", f"超算中心已更改：{said}"
