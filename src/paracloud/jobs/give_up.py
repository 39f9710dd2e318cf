"""Give up one job's attempt at a centre whose machines are off, by a person's word: the job begins anew elsewhere."""

from dataclasses import dataclass
from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store, store_given_up
from paracloud.jobs.given_up import Word
from paracloud.jobs.go_at_once import go_elsewhere
from paracloud.jobs.leave import require_free
from paracloud.jobs.market import Market
from paracloud.jobs.say_gone import require_sick
from paracloud.jobs.tables import AnyRow
from paracloud.kit.errors import Conflict, Refused
from paracloud.kit.identifiers import MOVES_MOST, JobId

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Fate:
    """Of a job that its centre was sent. `stays`: why it waits for it all the same, in English and Chinese; None: it
    begins anew elsewhere."""

    job: JobId
    stays: tuple[str, str] | None


async def give_up(session: AsyncSession, word: Word, job: JobId, *, market: Market, now: datetime) -> Fate | None:
    """As any move: its money first, and a tag of its own. None where the word is not about it any more. Conflict as
    soon as the centre answers: then it can be asked itself. In a transaction of its own: whoever needs its project's
    wallet waits for no other job."""
    await require_sick(session, word.centre)
    row = await store_given_up.lock_stranded(session, word.centre, job)
    if row is None:
        return None
    try:
        await _go(session, row, word, market, now)
    except Refused as no:
        await _say(session, row, no, now)
        return Fate(job, (no.en, no.zh))
    await store_given_up.give_up(session, job, row.moves, word)
    log.info("job.given_up", job=str(job), centre=word.centre, word=word.id)
    return Fate(job, None)


async def _go(session: AsyncSession, row: AnyRow, word: Word, market: Market, now: datetime) -> None:
    await require_free(session, row)
    if row.moves >= MOVES_MOST:
        raise Conflict("it has been moved too often", "改派次数已达上限")
    why = (
        f"the machines of {word.centre} are off ({word.reason}), and it is not known to have started there",
        f"{word.centre} 已停机（{word.reason}），且未见作业在该处开始",
    )
    if not await go_elsewhere(session, row, why, market=market, now=now):
        en = "no other centre takes it now for the most that was agreed to be paid for it"
        raise Conflict(en, "目前没有其他超算中心能在约定的最多费用内接收该作业")


async def _say(session: AsyncSession, row: AnyRow, why: Refused, now: datetime) -> None:
    """On its page, once as long as it is so."""
    event = {
        "job_id": row.id, "at": now, "from_state": row.state, "to_state": row.state,
        "reason": f"stays at {row.centre}/{row.queue}, whose machines are off: {why.en}",
        "note": f"留在 {row.centre}/{row.queue}（已停机）：{why.zh}",
    }  # fmt: skip
    last = await store.events(session, JobId(row.id), limit=1)
    if not last or last[0].reason != event["reason"]:
        await store.add_events(session, [event])
