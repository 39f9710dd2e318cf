"""What falls due in the books by time alone. Every worker does it: each chore happens once, whoever comes first."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.expire_packages import expire_packages
from paracloud.billing.issue_receipts import continue_chains
from paracloud.billing.period import month_of
from paracloud.billing.post_fees import post_fees
from paracloud.billing.receipt import Signer
from paracloud.billing.tell_budget_levels import tell_budget_levels
from paracloud.billing.tell_wallet_levels import tell_wallet_levels
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import ParacloudError

log = structlog.get_logger()

EVERY = timedelta(minutes=1)
Chore = Callable[[AsyncSession, datetime], Awaitable[bool]]
"""In a transaction of its own; true where there may be more to do at once."""


async def close_packages(session: AsyncSession, now: datetime) -> bool:
    closed = await expire_packages(session, now=now)
    if closed:
        log.info("packages.expired", packages=[str(one) for one in closed])
    return bool(closed)


async def charge_dedicated(session: AsyncSession, now: datetime) -> bool:
    for one in await post_fees(session, month_of(now), now=now):
        log.warning("dedicated.lapsed", dedication=str(one.id), project=str(one.project), reason="its fee is not paid")
    return False


async def tell_levels(session: AsyncSession, now: datetime) -> bool:
    for one in await tell_wallet_levels(session, now=now) + await tell_budget_levels(session, now=now):
        of = str(one.project or one.organisation)
        log.info("level.told", kind=one.kind.value, of=of, level=str(one.level), amount=str(one.amount))
    return False


CHORES: tuple[Chore, ...] = (close_packages, charge_dedicated, tell_levels)


def receipt_chore(signer: Signer) -> Chore:
    """Chains of receipts that have begun go on by themselves."""

    async def continue_receipts(session: AsyncSession, now: datetime) -> bool:
        return await continue_chains(session, signer, now=now)

    return continue_receipts


async def do_chores(database: Database, clock: Clock, chores: Sequence[Chore] = CHORES) -> None:
    """All of them once, until none has more to do; one that fails keeps no other from being done."""
    for chore in chores:
        try:
            while True:
                async with database.begin() as session:
                    has_more = await chore(session, clock.now())
                if not has_more:
                    break
        except ParacloudError as trouble:
            log.warning("chore.failed", chore=chore.__name__, code=trouble.code, reason=trouble.en)
        except Exception as crash:  # the loop's edge: a defect in one chore must not end the others for ever
            log.exception("chore.crashed", chore=chore.__name__, error=repr(crash))


async def keep_house(database: Database, clock: Clock, chores: Sequence[Chore] = CHORES) -> None:
    """Until cancelled."""
    while True:
        await do_chores(database, clock, chores)
        await clock.sleep(EVERY)
