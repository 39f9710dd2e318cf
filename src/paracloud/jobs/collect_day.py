"""One day of one centre, read again and settled as the worker does it: for what came so late that no sweep reads it."""

from datetime import UTC, date, datetime, time, timedelta
from functools import reduce

from paracloud.billing.period import month_of
from paracloud.billing.post_fees import post_fees
from paracloud.centres.registry import owners, reached_centre
from paracloud.dialects.dialect import Dialect
from paracloud.jobs.book import Settled
from paracloud.jobs.reckon import reckon
from paracloud.jobs.settle import BATCH
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.identifiers import CentreName
from paracloud.metering.sift import sift
from paracloud.transports.transport import Reach, execute


async def collect_day(
    database: Database, clock: Clock, reach: Reach, dialect: Dialect, name: CentreName, day: date
) -> Settled:
    """What ended on that day (UTC) at the accounts that the centre lends: metered, charged, and the ends of its jobs.
    Again is safe: what is known is left as it is. Needs no lease: the keys of usages and charges and the locks of jobs
    make a record count once, whoever brings it. A node failure ends no task here, for only the worker knows whether the
    job runs again. NotFound; Conflict where only its history is kept; Unreachable or Broken where the centre does not
    answer."""
    start = datetime.combine(day, time(), UTC)
    async with database.begin() as session:
        centre, accounts = await reached_centre(session, name), sorted(await owners(session, name))
    transport = await reach.to(name, centre.service_account, purpose=f"collect/{day}")
    told = await execute(transport, dialect.account(start, start + timedelta(days=1), accounts))
    records = sift(told, clock.now())
    async with database.begin() as session:  # as the worker's book does before it settles
        await post_fees(session, month_of(clock.now()), now=clock.now())
    done = []
    for at in range(0, len(records), BATCH):
        part = records[at : at + BATCH]
        async with database.begin() as session:
            alive = {one.native_id for one in part}
            done.append(await reckon(session, name, part, alive=alive, read_until=None, now=clock.now()))
    return reduce(Settled.__add__, done, Settled(0, 0, 0, 0))
