"""When a job is expected to start and to be done at an offer, from now on. Pure."""

from dataclasses import dataclass
from datetime import timedelta
from math import inf, log

from paracloud.placement.offer import Need, Offer
from paracloud.placement.prediction import Quantiles

UNKNOWN_WAIT = timedelta(days=7)
"""Where nobody foresees anything and the last probe saw too little free: longer than anybody plans with."""
Z90 = 1.2816
"""Of the standard normal distribution, nine tenths lie below it."""


@dataclass(frozen=True, slots=True)
class Expected:
    """From now: its files are moved, it waits (until `start`), it runs (until `finish`); an array by one of its
    tasks."""

    start: Quantiles
    finish: Quantiles


def expected(need: Need, offer: Offer) -> Expected:
    """Without a prediction a job is taken to run as long as it may, and to start at once where it can."""
    found = offer.prediction
    if found is None:
        wait = timedelta(0) if starts_now(need, offer) else UNKNOWN_WAIT
        waits, runs = Quantiles(wait, wait), Quantiles(need.wall_limit, need.wall_limit)
    else:
        waits, runs = found.wait, found.run
    start = Quantiles(waits.p50 + offer.moving, waits.p90 + offer.moving)
    return Expected(start, start + runs)


def starts_now(need: Need, offer: Offer) -> bool:
    """Whether the last probe saw enough free cores and GPUs for the job (for an array: for one of its tasks)."""
    return offer.free_cores >= need.cores and offer.free_gpus >= need.gpus_per_node * need.least_nodes


def likelihood(finish: Quantiles, left: timedelta) -> float:
    """Orders offers by how likely the job is to be done in the time that is `left`: how many standard deviations that
    lies above the median, of the logarithm, as if it were normal through both quantiles."""
    if finish.p50 <= timedelta(0) or finish.p90 <= finish.p50:
        return inf if finish.p90 <= left else -inf
    if left <= timedelta(0):
        return -inf
    return Z90 * log(left / finish.p50) / log(finish.p90 / finish.p50)
