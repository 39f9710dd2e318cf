"""A person says that a centre's machines are off: without power, burnt, decommissioned, and not merely out of reach.
Who says so answers for it: what the centre was sent may run elsewhere then, and what it ran all the same the platform
pays for."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.funding import NOTHING
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.centres.registry import get_centre, healths
from paracloud.jobs import store_given_up
from paracloud.jobs.given_up import Word
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import CentreName

log = structlog.get_logger()


async def say_gone(session: AsyncSession, centre: CentreName, *, person: str, reason: str, now: datetime) -> Word:
    """Kept and told to the operator once, however often the same person says the same of one outage. NotFound without
    the centre; Conflict for one that answers, or that is not sick yet."""
    since = await require_sick(session, centre)
    known = await store_given_up.newest_word(session, centre, since)
    if known is not None and (known.person, known.reason) == (person, reason):
        return known
    word = await store_given_up.add_word(session, centre, person, reason, now)
    stranded, watched = await store_given_up.count(session, centre)
    en = (
        f"{person} says that the machines of {centre} are off ({reason}): {stranded} jobs that were sent there and are "
        f"not known to have started go elsewhere, {watched} others are watched until its accounting answers."
    )
    zh = (
        f"{person} 确认 {centre} 已停机（{reason}）：已发往该处且未见开始的 {stranded} 个作业改派他处，"
        f"其余 {watched} 个作业等待其记账数据。"
    )
    await tell(session, [Notice(NoticeKind.CENTRE_GONE, en, zh, NOTHING, now, reference=centre)])
    log.warning("centre.gone", centre=centre, person=person, reason=reason, stranded=stranded, watched=watched)
    return word


async def require_sick(session: AsyncSession, centre: CentreName) -> datetime:
    """Since when it is sick. NotFound; Conflict where it answers, or has not failed for so long."""
    await get_centre(session, centre)
    health = (await healths(session)).get(centre)
    if health is None or health.failing_since is None:
        raise Conflict(
            f"{centre} answers: what it has in its queue it can be asked.", f"{centre} 应答正常，可直接查询。"
        )
    if health.good_since is not None:
        en = f"{centre} answers again since {health.good_since:%Y-%m-%d %H:%M} UTC: what is late there moves by itself."
        raise Conflict(en, f"{centre} 自 {health.good_since:%Y-%m-%d %H:%M} UTC 起恢复应答：排队过久的作业会自行改派。")
    if health.sick_since is None:
        since = f"{health.failing_since:%Y-%m-%d %H:%M} UTC"
        en = f"{centre} has failed since {since}, which is not long enough to be sick: say so again in some minutes."
        raise Conflict(en, f"{centre} 自 {since} 起无应答，尚未判定为故障：请几分钟后再执行。")
    return health.sick_since
