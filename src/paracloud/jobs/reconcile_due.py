"""Each day of a centre is reconciled by itself when it is over: none is left out, whoever was away meanwhile."""

from collections.abc import Mapping
from datetime import date, datetime, timedelta

import structlog

from paracloud.billing.look import Look
from paracloud.billing.reconciliations import LATE, is_final, keep_look, keep_silence, looks, over
from paracloud.billing.told import Logs
from paracloud.centres.leases import under
from paracloud.centres.registry import connected_on, healths
from paracloud.jobs import store_rounds
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.reconcile_day import reconcile_day
from paracloud.kit.database import Database
from paracloud.kit.errors import Unreachable

log = structlog.get_logger()

AGAIN = timedelta(days=7)
"""A day is looked at a second time then: what a centre changes late is found too."""
WATCHED = timedelta(days=31)
"""So long a day that differs is looked at daily; after that a person asks for it."""
SILENT = timedelta(days=1)
"""So long after a day is over a centre that tells nothing of it is named to the operator."""
COMMANDS = 2


async def reconcile_due(database: Database, logs: Logs, outpost: Outpost, tenure: Tenure) -> bool:
    """The day that waits longest, if one does; then True, as there may be another. Unreachable or Broken where the
    centre does not answer: nothing is kept, and the day goes on waiting."""
    centre, now = outpost.centre, outpost.clock.now()
    async with under(database, tenure()) as session:
        first = await connected_on(session, centre)
        known = {one.day: one for one in await looks(session, centre)}
        read = await store_rounds.read_until(session, centre)
        health = (await healths(session)).get(centre)
        if (silent := unheard(known, first, read, now)) is not None and health is not None and health.error_en:
            why = Unreachable(health.error_en, health.error_zh or health.error_en)
            await keep_silence(session, centre, silent, why, now=now)
            return True
    if (day := due(known, first, read, now)) is None:
        return False
    await outpost.budget.take(COMMANDS)
    found = await reconcile_day(database, outpost.reach, outpost.dialect, logs, centre, day)
    async with under(database, tenure()) as session:
        await keep_look(session, found, known.get(day), now=outpost.clock.now())
    tell = log.warning if found.mismatches else log.info
    tell("day.reconciled", centre=centre, day=str(day), differences=len(found.mismatches))
    return True


def due(known: Mapping[date, Look], first: date, read: datetime | None, now: datetime) -> date | None:
    """A day that is over, complete, and read by the worker that charges; `known`: the last look at each."""
    if read is None:
        return None
    day = first
    while over(day) + LATE <= now and over(day) <= read:
        if _wants(known.get(day), now):
            return day
        day += timedelta(days=1)
    return None


def unheard(known: Mapping[date, Look], first: date, read: datetime | None, now: datetime) -> date | None:
    """A day that is long over, of which the centre has told nothing, and that the operator does not know of."""
    day = first
    while over(day) + SILENT <= now:
        if day not in known and (read is None or read < over(day)):
            return day
        day += timedelta(days=1)
    return None


def _wants(look: Look | None, now: datetime) -> bool:
    if look is None or not is_final(look):
        return True
    if look.differences:
        return now - look.at >= timedelta(days=1) and now - over(look.day) <= WATCHED
    return look.at < over(look.day) + AGAIN <= now
