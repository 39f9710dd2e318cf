"""What the operator corrects of a job's bill: the job knows what it was charged, so its row is locked first."""

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_decisions
from paracloud.billing.decide_usage import Decided, decide_usage
from paracloud.billing.reverse import reverse
from paracloud.billing.reverse_usage import Reversed, reverse_usage
from paracloud.jobs import store, store_rounds
from paracloud.kit.identifiers import EntryId, JobId, PriceVersionId, UsageId
from paracloud.metering.listing import usage_by_id


async def rate_usage(
    session: AsyncSession, usage: UsageId, price: PriceVersionId | None, *, reason: str, person: str, now: datetime
) -> Decided:
    """As `billing.decide_usage`."""
    jobs = _jobs([one.reference for one in await usage_by_id(session, [usage])])
    await store.prices_of(session, jobs, lock=True)
    made = await decide_usage(session, usage, price, reason=reason, person=person, now=now)
    if made.is_new and made.amount_micro:
        await store_rounds.add_charged(session, dict.fromkeys(jobs, made.amount_micro))
    return made


async def take_back(
    session: AsyncSession,
    entry: EntryId,
    *,
    reason: str,
    person: str,
    now: datetime,
    usage: UsageId | None,
    anyway: bool = False,
) -> EntryId | None:
    """As `billing.reverse`."""
    await store.prices_of(session, _jobs((await store_decisions.amounts_of(session, entry)).keys()), lock=True)
    made = await reverse(session, entry, reason=reason, person=person, now=now, usage=usage, anyway=anyway)
    if made is None:
        return None
    amounts = {
        job: micro for of, micro in (await store_decisions.amounts_of(session, made)).items() for job in _jobs([of])
    }
    await store_rounds.add_charged(session, amounts)
    return made


async def take_usage_back(
    session: AsyncSession, usage: UsageId, *, reason: str, person: str, now: datetime
) -> Reversed:
    """As `billing.reverse_usage`."""
    jobs = _jobs([one.reference for one in await usage_by_id(session, [usage])])
    await store.prices_of(session, jobs, lock=True)
    made = await reverse_usage(session, usage, reason=reason, person=person, now=now)
    await store_rounds.add_charged(session, dict.fromkeys(jobs, made.amount_micro))
    return made


def _jobs(references: Collection[str | None]) -> list[JobId]:
    return [JobId(UUID(one)) for one in references if one is not None]
