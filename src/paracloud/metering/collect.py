"""From accounting records to usage, each counted once however often and by whomever it is read."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.dialects.records import AccountingRecord
from paracloud.kit.identifiers import CentreName, ProjectId, UnixAccount, UsageId, new_uuid
from paracloud.metering import store
from paracloud.metering.usage import UNCLAIMED, Claim, Usage, UsageKey, differs, key_of, measured


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
) -> Collected:
    """`owners`: whose each lent account is. A record without a claim is usage that was started by hand: billed to the
    account's project all the same."""
    ours = {key_of(centre, record): record for record in records if record.account in owners}
    strangers = [record for record in records if record.account not in owners]
    if strangers:
        await store.keep_strangers(session, centre, strangers, now)
    before = await store.known(session, centre, list(ours)) if ours else {}
    fresh = [
        _fresh(key, record, owners[record.account], claims.get(key, UNCLAIMED))
        for key, record in ours.items()
        if key not in before
    ]
    added = await store.add(session, fresh)
    new = tuple(usage for usage in fresh if usage.id in added)
    corrected = tuple(_corrected(usage, ours[key]) for key, usage in before.items() if differs(usage, ours[key]))
    await store.correct(session, corrected)
    await store.keep_revisions(session, [(usage, ours[usage.key]) for usage in (*new, *corrected)], now)
    return Collected(new, corrected, len(ours) - len(new) - len(corrected), len(strangers))


def _fresh(key: UsageKey, record: AccountingRecord, project: ProjectId, claim: Claim) -> Usage:
    same: dict[str, Any] = dict(measured(record))
    return Usage(
        id=UsageId(new_uuid()),
        key=key,
        revision=1,
        project=project,
        account=record.account,
        reference=claim.reference,
        is_duplicate=claim.is_duplicate,
        native_id=record.native_id,
        task_index=record.task_index,
        name=record.name,
        **same,
    )


def _corrected(known: Usage, record: AccountingRecord) -> Usage:
    same: dict[str, Any] = dict(measured(record))
    return replace(known, revision=known.revision + 1, **same)
