"""What a package had left when it ended."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store, store_paying
from paracloud.billing.cover import Package, Unit
from paracloud.billing.entry import EXPIRED, Entry, package, wallet
from paracloud.billing.post import post
from paracloud.kit.identifiers import PackageId

LATE = timedelta(days=1)
"""Usage from before a package's end still counts on it when its record comes within a day of that."""
BATCH = 200


async def expire_packages(session: AsyncSession, *, now: datetime) -> list[PackageId]:
    """Closes up to `BATCH` packages that expired a day ago and wait for no job: what their price has left is income.
    Call it again while it closes any."""
    found = await store_paying.expired(session, now - LATE, BATCH)
    if not found:
        return []
    projects = {project for _, project in found}
    await store.lock_accounts(session, {}, also=[wallet(project) for project in projects])
    shelf, _ = await store_paying.lock_shelf(session, projects, ())
    wanted = {id_ for id_, _ in found}
    ending = [one for one in shelf.packages.values() if one.id in wanted and one.reserved == 0]
    await post(session, [_entry(one) for one in ending if one.unit is not Unit.MICRO], now=now)
    for one in ending:
        await store_paying.close_package(session, one.id, now)
    return [one.id for one in ending]


def _entry(one: Package) -> Entry:
    rest = one.price_micro - one.worth(one.used)
    return Entry(
        f"expire:{one.id}", "expiry", one.currency, {package(one.id): -rest, EXPIRED: rest}, reference=str(one.id)
    )
