"""Tell the operator what the platform pays for attempts that were given up and ran all the same."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges
from paracloud.billing.charges import NewCharge
from paracloud.billing.funding import NOTHING
from paracloud.billing.notice import Notice, NoticeKind
from paracloud.billing.notices import tell
from paracloud.jobs.match import Match, Whose
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.kit.money import Money
from paracloud.metering.usage import Usage, key_of


async def tell_given_up(
    session: AsyncSession, centre: CentreName, matches: Sequence[Match], usages: Sequence[Usage], now: datetime
) -> None:
    """`usages`: new, or corrected, and charged just now; each revision is told once, with what it added."""
    jobs = {key_of(centre, one.record): one.job for one in matches if one.whose is Whose.GIVEN_UP}
    ran = [(one, job) for one in usages if (job := jobs.get(one.key)) is not None and one.elapsed_seconds]
    if ran:
        newest = await charges.newest(session, [one.id for one, _ in ran])
        await tell(session, [_notice(one, job, newest.get(one.id), now) for one, job in ran])


def _notice(usage: Usage, job: JobId, charge: NewCharge | None, now: datetime) -> Notice:
    """Without a charge, its price is not decided yet: it is listed as unrated."""
    cost = NOTHING if charge is None else Money(charge.share_micro + charge.owner_micro, charge.currency)
    centre, seconds = usage.key.centre, usage.elapsed_seconds
    en = (
        f"Job {job} was given up at {centre} by the word that its machines are off, and ran there all the same, for "
        f"{seconds} s: the centre gets {cost} {cost.currency} for it from the platform, and the project pays nothing."
    )
    zh = (
        f"作业 {job} 因确认 {centre} 停机而放弃，但仍在该处运行了 {seconds} 秒："
        f"平台向该中心支付 {cost} {cost.currency}，课题组不付费。"
    )
    return Notice(NoticeKind.GIVEN_UP_RAN, en, zh, cost, now, reference=str(job))
