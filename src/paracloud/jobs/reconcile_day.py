"""One day of one centre: ask its accounting again, and hold it against our charges and the settlement."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.mismatch import Cause, Mismatch, Reconciliation
from paracloud.billing.reconcile import reconcile
from paracloud.billing.told import Logs
from paracloud.centres.centre import Owner
from paracloud.centres.registry import connected_at, owners, reached_centre
from paracloud.dialects.dialect import Dialect
from paracloud.dialects.records import AccountingRecord, Unread
from paracloud.jobs import store
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import CentreName, JobId, PriceVersionId, UnixAccount
from paracloud.metering.listing import usage_by_key, usage_ended
from paracloud.metering.sift import sift
from paracloud.metering.usage import Usage, key_of
from paracloud.transports.transport import Reach, Transport, execute

SHOWN = 1000
"""Characters of a row that is not understood."""
ASKED_AT_ONCE = 5000
"""Ids of jobs: five calls of sacct within one command's time."""


async def reconcile_day(
    database: Database, reach: Reach, dialect: Dialect, logs: Logs, name: CentreName, day: date
) -> Reconciliation:
    """What ended on that day (UTC). No transaction is open while the centre is asked. NotFound, also for a log that is
    not kept any more; Conflict where only its history is kept; Unreachable or Broken where the centre does not answer:
    then nothing is known."""
    start = datetime.combine(day, time(), UTC)
    end = start + timedelta(days=1)
    async with database.begin() as session:
        centre, lent = await reached_centre(session, name), await owners(session, name)
        since = await connected_at(session, name)
        ours = await usage_ended(session, name, start, end)
    transport = await reach.to(name, centre.service_account, purpose=f"reconcile/{day}")
    records, unread = await _told(transport, dialect, ours, (start, end), sorted(lent))
    logged = await logs(name, start, end)
    async with database.begin() as session:
        known = await usage_by_key(session, [key_of(name, one) for one in records])
        told = [one for one in records if key_of(name, one) in known or _is_somebodys(one, lent)]
        found = await reconcile(
            session,
            name,
            [*told, *logged],
            start=start,
            end=end,
            lent=lent,
            pinned=await _pinned(session, (*ours, *known.values())),
            since=since,
        )
    return replace(found, mismatches=(*found.mismatches, *(_unread(one, lent) for one in unread)))


def _unread(row: Unread, lent: Mapping[UnixAccount, Owner]) -> Mismatch:
    """It is not known what it comes to. Broken where it is not known either whose it is: then nothing is known of the
    day."""
    owner = None if row.account is None else lent.get(row.account)
    if owner is None:
        raise Broken(
            f"The centre's accounting has a row that is not understood ({row.en}), of no project: {row.raw[:SHOWN]}",
            f"该中心的记账数据中有一行无法理解（{row.zh}），且不属于任何课题组：{row.raw[:SHOWN]}",
            argv=(),
            exit_status=0,
            evidence=row.raw.encode(),
        )
    en, zh = f"{row.en}: {row.raw[:SHOWN]}", f"{row.zh}：{row.raw[:SHOWN]}"
    return Mismatch(Cause.UNREAD, row.native_id or "", owner.project, 0, en, zh)


def _is_somebodys(record: AccountingRecord, lent: Mapping[UnixAccount, Owner]) -> bool:
    """As `match` judges: of an account that is not lent the day only counts that it is shown to us."""
    owner = lent.get(record.account)
    return owner is None or owner.had(record.submitted_at)


async def _told(
    transport: Transport,
    dialect: Dialect,
    ours: Sequence[Usage],
    span: tuple[datetime, datetime],
    accounts: Sequence[UnixAccount],
) -> tuple[list[AccountingRecord], Sequence[Unread]]:
    """The day's window, and what we have that is not in it: a job that was never eligible is in no window, one whose
    end was changed is in another, and history is of accounts that may be gone: they are asked for by their jobs' ids,
    since sacct tells nothing at all where one name is unknown. Without an account the way to the centre is gone all
    the same: whether it answers is to be known. With the rows of the window that are not understood."""
    window = sift(await execute(transport, dialect.account(*span, accounts)))
    records = {_key(one): one for one in window}
    missing = [one for one in ours if tuple(one.key)[1:] not in records]
    asked = sorted({one.native_id for one in missing})
    wanted = {tuple(one.key)[1:] for one in missing}
    for at in range(0, len(asked), ASKED_AT_ONCE):
        found = sift(await execute(transport, dialect.account_of(asked[at : at + ASKED_AT_ONCE])))
        records |= {_key(one): one for one in found if _key(one) in wanted}
    return [*records.values()], window.unread


def _key(record: AccountingRecord) -> tuple[object, ...]:
    return record.record_id, record.submitted_at, record.restart_count


async def _pinned(session: AsyncSession, usages: Collection[Usage]) -> dict[str, PriceVersionId]:
    references: Collection[str | None] = {one.reference for one in usages}
    jobs = [JobId(UUID(reference)) for reference in references if reference is not None]
    return {str(job): price for job, price in (await store.prices_of(session, jobs)).items()}
