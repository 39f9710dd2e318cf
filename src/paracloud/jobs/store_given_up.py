"""Every query on centres that are gone, on the jobs that they were sent, and on what is left there of them."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import ColumnElement, exists, func, insert, literal_column, not_, select, true, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.given_up import GivenUp, Remains, Word
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, JobState
from paracloud.jobs.store_moves import WHOLE
from paracloud.jobs.tables import AnyRow, JobRow, is_in
from paracloud.jobs.tables_moves import GoneRow, MoveRow
from paracloud.kit.identifiers import CentreName, JobId, SubmitTag, UnixAccount, submit_tag, tagged

NOT_STARTED = frozenset({JobState.QUEUED, JobState.VANISHED})
_LEFT = MoveRow.remains.in_([literal_column(f"'{one}'") for one in Remains if one is not Remains.OVER])


async def add_word(session: AsyncSession, centre: CentreName, person: str, reason: str, now: datetime) -> Word:
    values = {"centre": centre, "person": person, "reason": reason, "said_at": now}
    number: int = (await session.execute(insert(GoneRow).values(values).returning(GoneRow.id))).scalar_one()
    return Word(number, centre, person, reason, now)


async def newest_word(session: AsyncSession, centre: CentreName, since: datetime) -> Word | None:
    query = select(GoneRow).where(GoneRow.centre == centre, GoneRow.said_at >= since).order_by(GoneRow.id.desc())
    row = (await session.scalars(query.limit(1))).one_or_none()
    return None if row is None else Word(row.id, CentreName(row.centre), row.person, row.reason, row.said_at)


async def stranded(session: AsyncSession, centre: CentreName, limit: int, *, after: JobId | None) -> list[JobId]:
    """Jobs that were sent there and are not known to have started, nor to be cancelled by their users; by their ids."""
    of = (JobRow.centre == centre, _is_stranded(), true() if after is None else JobRow.id > after)
    return [
        JobId(job) for job in (await session.scalars(select(JobRow.id).where(*of).order_by(JobRow.id).limit(limit)))
    ]


async def lock_stranded(session: AsyncSession, centre: CentreName, job: JobId) -> AnyRow | None:
    """As `store_moves.lock` gives it; None where it is none of these any more."""
    query = select(*WHOLE).where(JobRow.id == job, JobRow.centre == centre, _is_stranded())
    return (await session.execute(query.with_for_update(key_share=True))).one_or_none()


async def count(session: AsyncSession, centre: CentreName) -> tuple[int, int]:
    """How many are stranded there, and how many others it is waited for."""
    waiting, others = _is_stranded(), is_in(AT_CENTRE) & not_(_is_stranded())
    query = select(func.count().filter(waiting), func.count().filter(others))
    found = (await session.execute(query.where(JobRow.centre == centre, is_in(BEFORE_CENTRE) | is_in(AT_CENTRE)))).one()
    return found[0], found[1]


async def give_up(session: AsyncSession, job: JobId, attempt: int, word: Word) -> None:
    """Its move away from there is made."""
    of = (MoveRow.job_id == job, MoveRow.attempt == attempt, MoveRow.step == MoveStep.MOVED)
    changing = update(MoveRow).where(*of).values(gone_id=word.id, remains=Remains.UNREACHED.value)
    await session.execute(changing.execution_options(synchronize_session=False))


async def remains(session: AsyncSession, centre: CentreName) -> list[GivenUp]:
    """What is left at the centre, the oldest first."""
    query = (
        select(MoveRow.job_id, MoveRow.attempt, MoveRow.from_account, MoveRow.remains)
        .where(MoveRow.from_centre == centre, _LEFT)
        .order_by(MoveRow.id)
    )
    return [
        GivenUp(JobId(job), submit_tag(JobId(job), attempt), UnixAccount(account), Remains(left or ""))
        for job, attempt, account, left in (await session.execute(query)).all()
    ]


async def become(session: AsyncSession, centre: CentreName, tags: Collection[SubmitTag], to: Remains) -> list[JobId]:
    """Of these attempts those that are as they must be before: whose jobs they are."""
    before = {Remains.OVER: (Remains.FENCED.value, Remains.STARTED.value)}.get(to, (Remains.UNREACHED.value,))
    found: list[JobId] = []
    for job, attempt in sorted(map(tagged, tags)):
        of = (MoveRow.job_id == job, MoveRow.attempt == attempt, MoveRow.from_centre == centre)
        changing = update(MoveRow).where(*of, MoveRow.remains.in_(before)).values(remains=to.value)
        changed = await session.execute(changing.returning(MoveRow.job_id).execution_options(synchronize_session=False))
        found += [JobId(one) for one in changed.scalars()]
    return found


async def states(session: AsyncSession, jobs: Collection[JobId]) -> dict[JobId, str]:
    rows = (await session.execute(select(JobRow.id, JobRow.state).where(JobRow.id.in_(jobs)))).all() if jobs else ()
    return {JobId(job): state for job, state in rows}


def _is_stranded() -> ColumnElement[bool]:
    untold = is_in(BEFORE_CENTRE) & (JobRow.tries > 0)
    waits = is_in(AT_CENTRE) & is_in(NOT_STARTED) & JobRow.started_at.is_(None)
    return (untold | waits) & JobRow.wish.is_distinct_from("cancel")


async def had_jobs(session: AsyncSession, centre: CentreName, queue: str) -> bool:
    """Whether any job is, was, or had been to run there before it was moved."""
    here = exists(select(JobRow.id).where(JobRow.centre == centre, JobRow.queue == queue))
    left = exists(select(MoveRow.id).where(MoveRow.from_centre == centre, MoveRow.from_queue == queue))
    return bool((await session.execute(select(here | left))).scalar_one())
