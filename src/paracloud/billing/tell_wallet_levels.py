"""A project is told when its money comes down to one of its levels: once for each crossing."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_notices
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.kit.identifiers import ProjectId
from paracloud.kit.money import Money


async def tell_wallet_levels(session: AsyncSession, *, now: datetime) -> list[Notice]:
    """Looks at what is available now (wallet and credit line), so charging has nothing to do with it; whoever falls and
    rises between two looks is told nothing. A level that is passed upwards is armed again. Two at the same time tell
    each crossing once: the second leaves out what the first looks at."""
    told = []
    for project, level, available, is_below in await store_notices.crossed(
        session, await store_notices.lock_levels(session)
    ):
        await store_notices.mark_wallet(session, project, level, is_below=is_below)
        if is_below:
            told.append(_notice(project, level, available, now))
    await tell(session, told)
    return told


def _notice(project: ProjectId, level: Money, available: Money, now: datetime) -> Notice:
    unit = level.currency
    en = (
        f"{available} {unit} is left to spend: not more than the level of {level}. Top up before it ends; what cannot "
        "be paid is not started, and running jobs are stopped after a warning."
    )
    zh = (
        f"可用金额剩余 {available} {unit}，已降至提醒线 {level}。"
        "请及时充值；余额用尽后不再启动新作业，运行中的作业经提醒后停止。"
    )
    return Notice(NoticeKind.WALLET_LEVEL, en, zh, available, now, project=project, level=level)
