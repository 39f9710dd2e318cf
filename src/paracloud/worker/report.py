"""What a round leaves behind for people: the centre's health, and the picture of its queues."""

from datetime import timedelta

import structlog

from paracloud.billing.funding import NOTHING
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.centres import registry
from paracloud.centres.centre import Health
from paracloud.centres.health import after_round
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.kit.database import Database
from paracloud.kit.errors import ParacloudError
from paracloud.kit.identifiers import CentreName

log = structlog.get_logger()

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
            is_news = before is None or before.failures > 0 or after.failures > 0
            if is_news or now - (before.checked_at if before else now) > SAY_AGAIN:
                await registry.keep_health(session, outpost.centre, after)
            if (notice := _edge(outpost.centre, before, after)) is not None:
                await tell(session, [notice])
                log.warning(notice.kind.value, centre=outpost.centre, reason=notice.en)

    async def probe(self, outpost: Outpost, tenure: Tenure) -> None:
        command = outpost.dialect.queues()
        queues = await outpost.ask(outpost.service_account, command, tenure, purpose="probe/queues")
        async with self._database.begin() as session:
            await registry.keep_queues(session, outpost.centre, queues, outpost.clock.now())


def _edge(centre: CentreName, before: Health | None, after: Health) -> Notice | None:
    """To the operator, when it falls sick and when it is well again; nothing in between."""
    was = before.sick_since if before is not None else None
    if (was is None) == (after.sick_since is None):
        return None
    if after.sick_since is not None:
        since = f"{after.failing_since:%Y-%m-%d %H:%M} UTC"
        en = f"{centre} has failed since {since} and takes no new jobs until it is well: {after.error_en}"
        zh = f"{centre} 自 {since} 起故障，恢复前不接收新作业：{after.error_zh}"
        return Notice(NoticeKind.CENTRE_SICK, en, zh, NOTHING, after.checked_at, reference=centre)
    en = f"{centre} is well again and takes jobs; it had taken none since {was:%Y-%m-%d %H:%M} UTC."
    zh = f"{centre} 已恢复，重新接收作业；此前自 {was:%Y-%m-%d %H:%M} UTC 起未接收作业。"
    return Notice(NoticeKind.CENTRE_WELL, en, zh, NOTHING, after.checked_at, reference=centre)
