"""Whether a job that is accepted is sent to its centre at once, or kept back until a queue has room for it.

A place in a queue binds a job to a guess of which centre will be free first. Behind another of ours it gains nothing by
standing there; kept back, it goes to whichever is free first.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_kept
from paracloud.jobs.market import Market
from paracloud.jobs.place import Placed
from paracloud.jobs.spec import JobSpec
from paracloud.jobs.taken import taken_at
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.reroute import may_cost_more

KEPT = "WaitsForRoom"
"""As the reason of a job for which its scheduler gives none, since it knows nothing of it yet."""


async def is_kept_back(session: AsyncSession, spec: JobSpec, offer: Offer, placed: Placed, market: Market) -> bool:
    """`offer`: where it is placed, and may be moved away from. Where what was free when its queue was seen does not
    hold it beside those of ours that wait there or have started since; if another centre would do. Who has a deadline
    goes where it was reckoned to be met."""
    objective = Objective(spec.objective)
    if not market.binds_late or market.foresight is None or objective is Objective.DEADLINE:
        return False
    place = (offer.centre, offer.queue)
    cores, cards = await store_kept.taken(session, *place, market.at(offer).seen_at or market.read_at)
    cores += taken_at(market, spec, place) or spec.cores
    cards += spec.gpus_per_node * (spec.nodes or 1)
    if cores <= offer.free_cores and cards <= offer.free_gpus and (spec.nodes or 0) <= offer.free_nodes:
        return False
    return placed.fits_elsewhere(offer, may_cost_more=may_cost_more(objective, spec.constraints))
