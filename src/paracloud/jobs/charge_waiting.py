"""Charge usage that was listed as unrated, once its price and contract are there."""

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charge import charge
from paracloud.billing.unrated import unrated_page
from paracloud.jobs import store, store_rounds
from paracloud.kit.identifiers import JobId, UsageId

PAGE = 500


@dataclass(frozen=True, slots=True)
class Waited:
    """Of one page: how many were charged, how many still wait, and where the next page begins; None after the last."""

    charged: int
    left: int
    after: UsageId | None


async def charge_waiting(session: AsyncSession, *, after: UsageId | None, now: datetime) -> Waited:
    """One page, in a transaction of its own: a second one would lock accounts after those that all share. A job's usage
    is charged at the price that it was accepted with, and is on its bill."""
    page = await unrated_page(session, after=after, limit=PAGE)
    usages = [one.usage for one in page]
    jobs = [JobId(UUID(one.reference)) for one in usages if one.reference is not None]
    pinned = {str(job): price for job, price in (await store.prices_of(session, jobs, lock=True)).items()}
    found = {one.usage: one.amount_micro for one in await charge(session, usages, pinned=pinned, now=now)}
    amounts: dict[JobId, int] = defaultdict(int)
    for usage in usages:
        amount = found.get(usage.id)
        if usage.reference is not None and amount:
            amounts[JobId(UUID(usage.reference))] += amount
    await store_rounds.add_charged(session, amounts)
    left = sum(amount is None for amount in found.values())
    return Waited(len(found) - left, left, usages[-1].id if len(usages) == PAGE else None)
