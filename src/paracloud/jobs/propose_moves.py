"""Look for jobs that wait too long at a centre and would do better at another; and for those that a sick centre, which
knows nothing of them yet, would only keep."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TypeVar

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.pick import Customer
from paracloud.centres.leases import under
from paracloud.centres.registry import get_centre, healths
from paracloud.jobs import store_moves
from paracloud.jobs.begin_move import begin_move, waiting_of
from paracloud.jobs.expect import foreseen
from paracloud.jobs.go_at_once import go_at_once
from paracloud.jobs.leave import release_moves
from paracloud.jobs.market import Market, MarketReader, customer_of
from paracloud.jobs.movable import need_elsewhere
from paracloud.jobs.moving import AT_ONCE, HOLDING_MOST, moves_at_once
from paracloud.jobs.offers import dedicated_at, offers
from paracloud.jobs.store_moves import Seen
from paracloud.jobs.tables import AnyRow
from paracloud.jobs.written import read_spec
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Fenced, ParacloudError
from paracloud.kit.identifiers import CentreName, JobId, ProjectId, UserId
from paracloud.kit.lease import Lease
from paracloud.placement.offer import Need, Offer
from paracloud.placement.reroute import better

log = structlog.get_logger()

T = TypeVar("T")
NOT_HELD = ("its scheduler did not show it as held", "调度系统未显示其已挂起")


@dataclass(slots=True)
class Rerouter:
    """One centre's waiting jobs, looked at under its lease. `_late` and `_untried`: by centre, up to where they were
    looked at, so that who has nowhere to go stands before nobody; absent where the next look begins anew."""

    database: Database
    clock: Clock
    market: MarketReader
    _late: dict[CentreName, Seen] = field(default_factory=dict)
    _untried: dict[CentreName, JobId] = field(default_factory=dict)

    async def round(self, lease: Lease) -> None:
        market, now, centre = await self.market.now(), self.clock.now(), CentreName(lease.name)
        async with under(self.database, lease) as session:
            late = await propose(session, centre, market, now, after=self._late.get(centre))
            health = (await healths(session)).get(centre)
            fleeing: Sequence[JobId] = ()
            if health is not None and health.sick_since is not None:
                fleeing = await store_moves.untried(session, centre, AT_ONCE, after=self._untried.get(centre))
        _remember(self._late, centre, late)
        _remember(self._untried, centre, fleeing[-1] if len(fleeing) == AT_ONCE else None)
        for job in fleeing:
            await self._flee(lease, job, market, now)

    async def _flee(self, lease: Lease, job: JobId, market: Market, now: datetime) -> None:
        """A transaction of its own: whoever needs its project's wallet waits for no other job."""
        try:
            async with under(self.database, lease) as session:
                await go_at_once(session, CentreName(lease.name), job, market=market, now=now)
        except Fenced:
            raise
        except ParacloudError as trouble:  # of one job: the others go all the same
            log.warning("job.not_moved", job=str(job), code=trouble.code, reason=trouble.en)


async def stay_all(lease: Lease) -> None:
    """Where the operator wants no job to move. Moves that have begun come to their end all the same."""


async def propose(
    session: AsyncSession, centre: CentreName, market: Market, now: datetime, *, after: Seen | None
) -> Seen | None:
    """Begin moves, of which none has done anything yet. After whom the next look goes on; None: from the first one."""
    forgotten = await store_moves.too_long_held(session, centre, now - HOLDING_MOST)
    await release_moves(session, centre, forgotten, NOT_HELD, now)
    budget = (await get_centre(session, centre)).commands_per_minute
    room = moves_at_once(budget) - await store_moves.under_way(session, centre)
    if room <= 0:
        return after
    taken = Counter(await store_moves.cores_coming(session))
    if market.foresight is None:  # it knows of those that wait there
        taken.update(await store_moves.cores_waiting(session))
    rows = await store_moves.late(session, centre, AT_ONCE, now, after=after)
    for row in rows:
        waiting = await waiting_of(session, row, now)
        if not waiting.is_late:
            continue
        customer = await customer_of(session, ProjectId(row.project_id), market)
        wanted, places = _places(row, customer, market, taken)
        best = better(wanted, waiting, places)
        if best is None:
            continue
        await begin_move(session, row, waiting, best, now)
        taken[best.centre, best.queue] += row.cores
        room -= 1
        if room == 0:
            return row.submitted_at, JobId(row.id)
    return (rows[-1].submitted_at, JobId(rows[-1].id)) if len(rows) == AT_ONCE else None


def _remember(seen: dict[CentreName, T], centre: CentreName, last: T | None) -> None:
    if last is None:
        seen.pop(centre, None)
    else:
        seen[centre] = last


def _places(
    row: AnyRow, customer: Customer, market: Market, taken: Mapping[tuple[str, str], int]
) -> tuple[Need, list[Offer]]:
    """With what is expected there; but for the customer's own nodes, for which nothing is held."""
    spec, user = read_spec(row.spec, row.script), UserId(row.user_id)
    wanted = need_elsewhere(spec, customer, market)
    left = [_less(offer, taken.get((offer.centre, offer.queue), 0)) for offer in offers(market, spec, customer)]
    return wanted, [
        offer
        for offer in foreseen(wanted, left, spec, customer=customer, user=user, market=market)
        if offer.price is None or dedicated_at(market, spec, customer, offer) is None
    ]


def _less(offer: Offer, cores: int) -> Offer:
    """What is free of it for one more of our jobs: those that are before it take theirs."""
    return replace(offer, free_cores=max(offer.free_cores - cores, 0))
