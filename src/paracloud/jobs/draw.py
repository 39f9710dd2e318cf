"""Send jobs that are kept back to queues that have room for them now, each centre for itself (see `who_goes`)."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.leases import under
from paracloud.jobs import store, store_kept, store_moves
from paracloud.jobs.go_at_once import go
from paracloud.jobs.leave import require_free
from paracloud.jobs.market import Market, MarketReader
from paracloud.jobs.placer import Placers
from paracloud.jobs.state import JobState
from paracloud.jobs.tables import DRAWN_AFTER
from paracloud.jobs.who_goes import Goes, Seen, who_goes
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Fenced, ParacloudError, Refused
from paracloud.kit.identifiers import CentreName, JobId
from paracloud.kit.lease import Lease

log = structlog.get_logger()

REFUSED_FOR = timedelta(minutes=10)
"""Who could not go to a centre, for want of money or of an account, does not stand before others for so long."""
KEPT_MOST = timedelta(days=1)
"""Then it goes to where it was placed: its scheduler may know what the platform does not."""


@dataclass(slots=True)
class Drawer:
    """`_refused`: by centre and job, until when it is not tried again. `_seen`: by centre."""

    database: Database
    clock: Clock
    market: MarketReader
    _placers: Placers = field(default_factory=Placers)
    _refused: dict[tuple[CentreName, JobId], datetime] = field(default_factory=dict)
    _seen: dict[CentreName, Seen] = field(default_factory=dict)

    async def round(self, lease: Lease) -> bool:
        """Under this centre's lease, from wherever they were placed. Whether any job is kept back anywhere."""
        async with self.database.begin() as session:
            if not await store_kept.is_any(session):
                return False
        market, now, centre = await self.market.now(), self.clock.now(), CentreName(lease.name)
        self._refused = {key: until for key, until in self._refused.items() if until > now}
        refused = frozenset(job for at, job in self._refused if at == centre)
        async with under(self.database, lease) as session:
            if await store_kept.let_go(session, centre, before=now - KEPT_MOST):
                await store.announce(session, centre)
            going, self._seen[centre] = await who_goes(
                session, centre, self._placers.of(market), now, seen=self._seen.get(centre, Seen()), without=refused
            )
        for one in going:
            await self._send(lease, one, market, now)
        return True

    async def _send(self, lease: Lease, one: Goes, market: Market, now: datetime) -> None:
        """A transaction of its own: whoever needs its project's wallet waits for no other job."""
        try:
            async with under(self.database, lease) as session:
                await send(session, one, market=market, now=now)
        except Fenced:
            raise
        except ParacloudError as trouble:  # of one job: the others go all the same
            if isinstance(trouble, Refused):
                self._refused[CentreName(lease.name), one.job] = now + REFUSED_FOR
            log.warning("job.not_drawn", job=str(one.job), to=one.offer.place, code=trouble.code, reason=trouble.en)


@dataclass(slots=True)
class LetGo:
    """Where the operator wants no job to move, none is kept back any more either."""

    database: Database

    async def round(self, lease: Lease) -> bool:
        centre = CentreName(lease.name)
        async with under(self.database, lease) as session:
            if await store_kept.let_go(session, centre):
                await store.announce(session, centre)
        return False


async def send(session: AsyncSession, one: Goes, *, market: Market, now: datetime) -> None:
    """If it is kept back still. Refused (Conflict, NotEnoughFunds) where the place cannot be had: it waits on."""
    row = await store_moves.lock(session, one.job, skip=True)
    if row is None or not row.kept or (row.state, row.tries) != (JobState.ACCEPTED, 0):
        return
    to = one.offer
    why = f"goes to {to.place} because {one.why[0]}", f"派往 {to.place}：{one.why[1]}"
    if (row.centre, row.queue) != (to.centre, to.queue):
        await require_free(session, row)
        await go(session, row, to, why, market, now, since=row.accepted_at + DRAWN_AFTER)
        return
    await store.change(session, one.job, kept=False, reason="")
    event = {
        "job_id": one.job, "at": now, "from_state": row.state, "to_state": row.state, "reason": why[0], "note": why[1],
    }  # fmt: skip
    await store.add_events(session, [event])
    await store.announce(session, to.centre)
    log.info("job.let_go", job=str(one.job), to=to.place)
