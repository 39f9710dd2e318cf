"""From accounting records to usage, each counted once however often and by whomever it is read."""

from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount
from paracloud.metering import store
from paracloud.metering.usage import (
    UNCLAIMED,
    Claim,
    Usage,
    UsageKey,
    differs,
    key_of,
    metered,
    require_over,
    require_possible,
    revised,
)


@dataclass(frozen=True, slots=True)
class Collected:
    """`new` and `corrected` are to be charged; `strangers` counts records of accounts that are nobody's."""

    new: tuple[Usage, ...]
    corrected: tuple[Usage, ...]
    known: int
    strangers: int


async def collect(
    session: AsyncSession,
    centre: CentreName,
    records: Sequence[AccountingRecord],
    *,
    owners: Mapping[UnixAccount, ProjectId],
    claims: Mapping[UsageKey, Claim],
    now: datetime,
    nobodys: Set[UsageKey] = frozenset(),
) -> Collected:
    """`owners`: whose each lent account is; `nobodys`: what ran there before it was theirs, unless it is known from a
    log. A record without a claim is usage that was started by hand: billed to the account's project all the same. Of a
    record that comes twice in `records` the later one counts. Broken for figures
    that no machine can have, or an end that is to come, and then nothing of `records` was written."""
    for record in records:
        require_possible(record)
        require_over(record, now)
    keyed = [(key_of(centre, record), record) for record in records]
    ours = {key: record for key, record in keyed if record.account in owners}
    before = await store.known(session, list(ours))
    for key in nobodys - before.keys():
        ours.pop(key, None)
    strangers = [record for key, record in keyed if key not in ours]
    await store.keep_strangers(session, centre, strangers, now)
    # In the order of their keys: collectors that add the same usages at once wait for each other, never in a ring.
    fresh = [
        metered(key, ours[key], owners[ours[key].account], claims.get(key, UNCLAIMED))
        for key in sorted(ours.keys() - before.keys())
    ]
    added = await store.add(session, fresh)
    new = tuple(usage for usage in fresh if usage.id in added)
    before |= await store.known(session, [usage.key for usage in fresh if usage.id not in added])
    corrected = await _correct(session, before, ours)
    await store.keep_revisions(session, [(usage, ours[usage.key]) for usage in (*new, *corrected)], now)
    return Collected(new, corrected, len(ours) - len(new) - len(corrected), len(strangers))


async def _correct(
    session: AsyncSession, known: Mapping[UsageKey, Usage], records: Mapping[UsageKey, AccountingRecord]
) -> tuple[Usage, ...]:
    """Only what has changed is locked, and compared again: another collector may have seen the same change first."""
    suspects = [usage.key for usage in known.values() if differs(usage, records[usage.key])]
    locked = await store.known(session, suspects, lock=True)
    corrected = tuple(revised(usage, records[key]) for key, usage in locked.items() if differs(usage, records[key]))
    await store.correct(session, corrected)
    return corrected
