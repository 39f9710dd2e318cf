"""Whether a job that is accepted is sent to its centre at once, or kept back until a queue has room for it.

A place in a queue binds a job to a guess of which centre will be free first. Behind another of ours it gains nothing by
standing there; kept back, it goes to whichever is free first.
"""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_kept
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Market
from paracloud.jobs.place import Placed
from paracloud.jobs.taken import taken_at
from paracloud.placement.offer import Objective, Offer
from paracloud.placement.reroute import may_cost_more

KEPT = "WaitsForRoom"
"""As the reason of a job for which its scheduler gives none, since it knows nothing of it yet."""
IS_KEPT = (
    " It has to wait: the platform keeps it back until a centre has room for it.",
    "该作业需要等候：平台将其保留，直至有超算中心空闲。",
)


async def kept_back(session: AsyncSession, asked: Asked, offer: Offer, placed: Placed, market: Market) -> Offer | None:
    """`offer`: where it is placed, and may be moved away from. None: it is sent there. Otherwise what is left there and
    to be expected, by all that is known. Kept back is who does not find room beside those of ours that wait there or
    have started since its queue was seen, if another centre would do. Who wants to be done or to begin by a moment goes
    where it was reckoned to be so."""
    spec, objective = asked.spec, Objective(asked.spec.objective)
    if not market.binds_late or market.foresight is None:
        return None
    if objective is Objective.DEADLINE or spec.constraints.most_wait is not None:
        return None
    place = (offer.centre, offer.queue)
    cores, cards = await store_kept.taken(session, *place, market.at(offer).seen_at or market.read_at)
    left = replace(offer, free_cores=max(offer.free_cores - cores, 0), free_gpus=max(offer.free_gpus - cards, 0))
    has_cores = (taken_at(market, spec, place) or spec.cores) <= left.free_cores
    has_cards = spec.gpus_per_node * (spec.nodes or 1) <= left.free_gpus
    if has_cores and has_cards and (spec.nodes or int(spec.exclusive)) <= left.free_nodes:
        return None
    if not placed.fits_elsewhere(offer, may_cost_more=may_cost_more(objective, spec.constraints)):
        return None
    if offer.prediction is None:
        return left
    said = market.foresight.predict(asked.customer.project, asked.user, spec, left)
    return replace(left, prediction=replace(offer.prediction, wait=said.wait))
