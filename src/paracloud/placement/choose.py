"""Which of the fitting offers to take, by the user's objective."""

from collections.abc import Iterable

from paracloud.placement.filter import filter_offers
from paracloud.placement.offer import Choice, Need, Objective, Offer


def choose(need: Need, offers: Iterable[Offer], objective: Objective) -> Choice:
    """Filter, then order: the cheapest by the most it can cost, the soonest by whether its free cores hold the job now
    and how many are left. Ties go to the other measure, then to the name: the same offers give the same choice."""
    fitting, rejected = filter_offers(need, offers)
    match objective:
        case Objective.CHEAPEST:
            ordered = sorted(fitting, key=lambda offer: (_cost(offer), *_wait_rank(need, offer), offer.place))
        case Objective.SOONEST:
            ordered = sorted(fitting, key=lambda offer: (*_wait_rank(need, offer), _cost(offer), offer.place))
    return Choice(fitting=tuple(ordered), rejected=tuple(rejected), objective=objective)


def starts_now(need: Need, offer: Offer) -> bool:
    """Whether the last probe saw enough free cores, nodes and GPUs for the job (for an array: for one of its tasks)."""
    return (
        offer.free_cores >= need.cores
        and (need.nodes is None or offer.free_nodes >= need.nodes or offer.free_cores >= need.cores)
        and offer.free_gpus >= need.gpus_per_node * need.least_nodes
    )


def _cost(offer: Offer) -> int:
    assert offer.most is not None, "filter_offers lets only priced offers through"  # noqa: S101
    return offer.most.micro


def _wait_rank(need: Need, offer: Offer) -> tuple[bool, float]:
    """Lower is sooner: those that can start now first, then the larger share of free cores."""
    share = offer.free_cores / offer.cores if offer.cores else 0.0
    return not starts_now(need, offer), -share
