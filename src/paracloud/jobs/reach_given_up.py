"""What was found of attempts that were given up, when their centre answers again: written down, and told to their
projects."""

from collections.abc import Mapping, Sequence
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store, store_given_up
from paracloud.jobs.given_up import Remains
from paracloud.kit.identifiers import CentreName, SubmitTag

log = structlog.get_logger()


async def marked(session: AsyncSession, centre: CentreName, ours: Mapping[SubmitTag, bool], now: datetime) -> None:
    """Whose run marker is ours never runs there. Whose is not has started: the job itself goes on where it is now."""
    fenced = await store_given_up.become(session, centre, [tag for tag in ours if ours[tag]], Remains.FENCED)
    started = await store_given_up.become(session, centre, [tag for tag in ours if not ours[tag]], Remains.STARTED)
    en = (
        f"it had started at {centre} as well, which was off by its operator's word: that is not charged, and is stopped"
    )
    zh = f"作业在 {centre}（经运营方确认已停机）也曾开始运行：该次运行不计费，并将被停止"
    states = await store_given_up.states(session, started)
    events = [
        {"job_id": job, "at": now, "from_state": state, "to_state": state, "reason": en, "note": zh}
        for job, state in states.items()
    ]
    await store.add_events(session, events)
    log.info("given_up.reached", centre=centre, fenced=len(fenced), started=[str(job) for job in started])


async def cleared(session: AsyncSession, centre: CentreName, tags: Sequence[SubmitTag]) -> None:
    jobs = await store_given_up.become(session, centre, tags, Remains.OVER)
    log.info("given_up.over", centre=centre, jobs=len(jobs))
