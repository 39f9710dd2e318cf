"""The worker's book in PostgreSQL: each method is one transaction that begins with a look at the lease's fence."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.period import month_of
from paracloud.billing.post_fees import post_fees
from paracloud.centres.leases import under
from paracloud.centres.registry import owners
from paracloud.dialects.records import AccountingRecord
from paracloud.jobs import store_given_up, store_moves, store_rounds
from paracloud.jobs.answer import answer
from paracloud.jobs.book import Departure, Dispatch, LiveJob, Move, Settled, Wish
from paracloud.jobs.finish import End, finish
from paracloud.jobs.given_up import GivenUp
from paracloud.jobs.hand_over import hand_over_departed
from paracloud.jobs.intend import intend
from paracloud.jobs.land import signalled
from paracloud.jobs.leave import fenced, leave, stay
from paracloud.jobs.market import Market, MarketReader, read_market
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.observed import live_jobs, observed
from paracloud.jobs.reach_given_up import cleared, marked
from paracloud.jobs.reckon import reckon
from paracloud.jobs.state import AT_CENTRE, JobState
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.wish import SIGNAL
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import CentreName, JobId, NativeId, SubmitTag, UnixAccount, submit_tag
from paracloud.kit.lease import Lease


class PostgresBook:
    """Implements `Book`."""

    def __init__(self, database: Database, clock: Clock, market: MarketReader | None = None) -> None:
        """`market`: who foresees what is expected of jobs where they are handed over to; None: nobody."""
        self._database, self._clock, self._market = database, clock, market

    async def accounts(self, lease: Lease) -> Sequence[UnixAccount]:
        async with self._under(lease) as session:
            return sorted(await owners(session, _centre(lease)))

    async def intend(self, lease: Lease, *, limit: int) -> Sequence[Dispatch]:
        async with self._under(lease) as session:
            return await intend(session, _centre(lease), limit=limit, now=self._clock.now())

    async def submitted(
        self, lease: Lease, answers: Mapping[JobId, NativeId | Refused], *, postponed: Mapping[JobId, str]
    ) -> None:
        if answers or postponed:
            async with self._under(lease) as session:
                await answer(session, _centre(lease), answers, postponed, now=self._clock.now())

    async def live(self, lease: Lease) -> Sequence[LiveJob]:
        async with self._under(lease) as session:
            return await live_jobs(session, _centre(lease))

    async def observed(self, lease: Lease, moves: Sequence[Move]) -> None:
        if moves:
            async with self._under(lease) as session:
                await observed(session, _centre(lease), moves)

    async def wishes(self, lease: Lease) -> Sequence[Wish]:
        async with self._under(lease) as session:
            return [_wish(row) for row in await store_rounds.wishes(session, _centre(lease))]

    async def granted(self, lease: Lease, wishes: Sequence[Wish]) -> None:
        if wishes:
            async with self._under(lease) as session:
                for kind in sorted({wish.kind for wish in wishes}):
                    jobs = [wish.job for wish in wishes if wish.kind == kind]
                    await store_rounds.grant(session, _centre(lease), jobs, kind)
                    if kind == SIGNAL:
                        await signalled(session, _centre(lease), jobs, self._clock.now())

    async def departures(self, lease: Lease) -> Sequence[Departure]:
        async with self._under(lease) as session:
            return [_departure(row) for row in await store_moves.open_at(session, _centre(lease))]

    async def leave(self, lease: Lease, job: JobId) -> None:
        async with self._under(lease) as session:
            now = self._clock.now()
            await leave(session, _centre(lease), job, market=await read_market(session, now), now=now)

    async def fenced(self, lease: Lease, ours: Mapping[JobId, bool]) -> None:
        if ours:
            async with self._under(lease) as session:
                await fenced(session, _centre(lease), ours, self._clock.now())

    async def stay(self, lease: Lease, jobs: Sequence[JobId]) -> None:
        if jobs:
            async with self._under(lease) as session:
                await store_rounds.lock(session, _centre(lease), jobs)
                await stay(session, _centre(lease), jobs, self._clock.now())

    async def remains(self, lease: Lease) -> Sequence[GivenUp]:
        async with self._under(lease) as session:
            return await store_given_up.remains(session, _centre(lease))

    async def marked(self, lease: Lease, ours: Mapping[SubmitTag, bool]) -> None:
        if ours:
            async with self._under(lease) as session:
                await marked(session, _centre(lease), ours, self._clock.now())

    async def cleared(self, lease: Lease, tags: Sequence[SubmitTag]) -> None:
        if tags:
            async with self._under(lease) as session:
                await cleared(session, _centre(lease), tags)

    async def accounted_until(self, lease: Lease) -> datetime | None:
        async with self._under(lease) as session:
            return await store_rounds.read_until(session, _centre(lease))

    async def settle(
        self,
        lease: Lease,
        records: Sequence[AccountingRecord],
        *,
        alive: Sequence[NativeId],
        read_until: datetime | None,
    ) -> Settled:
        # Whose the nodes were while it ran is known only once the fees of the months that have begun are paid, or not.
        async with self._under(lease) as session:
            await post_fees(session, month_of(self._clock.now()), now=self._clock.now())
        market = await self._foreseen(lease)
        async with self._under(lease) as session:
            now, centre = self._clock.now(), _centre(lease)
            return await reckon(session, centre, records, alive=alive, read_until=read_until, now=now, market=market)

    async def lose(self, lease: Lease, jobs: Sequence[JobId]) -> None:
        if jobs:
            market = await self._foreseen(lease)
            async with self._under(lease) as session:
                now = self._clock.now()
                rows = await store_rounds.lock(session, _centre(lease), jobs)
                gone = await hand_over_departed(session, rows, now, market)
                lost = [job for job in rows if job not in gone and JobState(rows[job].state) in AT_CENTRE]
                await finish(session, rows, [End(job, JobState.LOST, now) for job in lost], now)

    async def _foreseen(self, lease: Lease) -> Market | None:
        """Asked for only where a job may be handed over: few rounds have one. Read before the transaction that does
        it, since one that is undone must have taught nothing."""
        if self._market is None:
            return None
        async with self._under(lease) as session:
            is_asked = await store_moves.is_cancelling(session, _centre(lease))
        return await self._market.now() if is_asked else None

    def _under(self, lease: Lease) -> AbstractAsyncContextManager[AsyncSession]:
        return under(self._database, lease)


def _wish(row: AnyRow) -> Wish:
    name = row.signal if row.wish == SIGNAL else ""
    return Wish(JobId(row.id), NativeId(row.native_id), UnixAccount(row.account), row.wish, name, row.moves)


def _departure(row: AnyRow) -> Departure:
    job = JobId(row.job_id)
    tag, account = submit_tag(job, row.moves), UnixAccount(row.account)
    return Departure(job, tag, NativeId(row.native_id), account, MoveStep(row.step))


def _centre(lease: Lease) -> CentreName:
    return CentreName(lease.name)
