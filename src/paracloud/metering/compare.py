"""Our usage against the centre's own accounting, for a span of time: what differs is listed, never absorbed."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount
from paracloud.metering import store
from paracloud.metering.usage import UsageKey, key_of


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Core- and GPU-seconds here and at the centre. `what` is one of: only at the centre, only here, differs."""

    what: str
    key: UsageKey
    ours: tuple[int, int]
    theirs: tuple[int, int]


async def compare(
    session: AsyncSession,
    centre: CentreName,
    records: Sequence[AccountingRecord],
    *,
    owners: Mapping[UnixAccount, ProjectId],
    start: datetime,
    end: datetime,
) -> list[Mismatch]:
    """`records` are all that the centre tells of executions that ended in [start, end). Empty when both agree."""
    theirs = {key_of(centre, record): record for record in records if record.account in owners}
    ours = {usage.key: usage for usage in await store.ended_between(session, centre, start, end)}
    ours |= await store.known(session, list(theirs.keys() - ours.keys()))
    found = []
    for key in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(key), theirs.get(key)
        mine = (here.core_seconds, here.gpu_seconds) if here else (0, 0)
        other = (there.core_seconds, there.gpu_seconds) if there else (0, 0)
        what = "only here" if there is None else "only at the centre" if here is None else "differs"
        if here is None or there is None or mine != other:
            found.append(Mismatch(what, key, mine, other))
    return found
