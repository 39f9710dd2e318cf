"""Charge usage that was listed as unrated, once its price and contract are there."""

from collections import defaultdict
from datetime import datetime
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charge import charge
from paracloud.billing.unrated import unrated_page
from paracloud.jobs import store, store_rounds
from paracloud.kit.identifiers import JobId, UsageId

PAGE = 500


async def charge_waiting(session: AsyncSession, *, now: datetime) -> tuple[int, int]:
    """How many were charged, and how many still wait. A job's usage is charged at the price that it was accepted with,
    and is on its bill."""
    charged = left = 0
    after: UsageId | None = None
    while page := await unrated_page(session, after=after, limit=PAGE):
        usages = [one.usage for one in page]
        jobs = [JobId(UUID(one.reference)) for one in usages if one.reference is not None]
        pinned = {str(job): price for job, price in (await store.prices_of(session, jobs)).items()}
        found = {one.usage: one.amount_micro for one in await charge(session, usages, pinned=pinned, now=now)}
        amounts: dict[JobId, int] = defaultdict(int)
        for usage in usages:
            amount = found.get(usage.id)
            if amount is None:
                left += 1
                continue
            charged += 1
            if usage.reference is not None and amount:
                amounts[JobId(UUID(usage.reference))] += amount
        await store_rounds.add_charged(session, amounts)
        after = usages[-1].id
    return charged, left
