"""What a round leaves behind for people: the centre's health, and the picture of its queues."""

from datetime import timedelta

from paracloud.centres import registry
from paracloud.centres.health import after_round
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.kit.database import Database
from paracloud.kit.errors import ParacloudError

SAY_AGAIN = timedelta(seconds=30)


class Reporter:
    """Writes health when it changes, and now and then when it does not."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def health(self, outpost: Outpost, trouble: ParacloudError | None) -> None:
        now = outpost.clock.now()
        async with self._database.begin() as session:
            before = (await registry.healths(session)).get(outpost.centre)
            after = after_round(before, trouble, now=now)
            is_news = before is None or (before.failures == 0) != (after.failures == 0) or after.failures > 0
            if is_news or now - (before.checked_at if before else now) > SAY_AGAIN:
                await registry.keep_health(session, outpost.centre, after)

    async def probe(self, outpost: Outpost, tenure: Tenure) -> None:
        command = outpost.dialect.queues()
        queues = await outpost.ask(outpost.service_account, command, tenure, purpose="probe/queues")
        async with self._database.begin() as session:
            await registry.keep_queues(session, outpost.centre, queues, outpost.clock.now())
