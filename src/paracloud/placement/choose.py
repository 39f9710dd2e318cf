"""Which of the fitting offers to take, by the user's objective."""

from collections.abc import Callable, Iterable
from typing import Any

from paracloud.placement.expected import expected, likelihood, starts_now
from paracloud.placement.filter import filter_offers
from paracloud.placement.offer import Choice, Need, Objective, Offer

Rank = tuple[Any, ...]
"""Lower is better; it ends with the place, so no two are equal."""


def choose(need: Need, offers: Iterable[Offer], objective: Objective) -> Choice:
    """Filter, then order. The same offers give the same choice, whatever their order.

    Cheapest: by the most that it can cost, then by what is expected. Soonest: by the expected start, then by the free
    cores. Deadline: the cheapest of those of which nine in ten jobs are done in time; then the others, the likeliest to
    make it first. Balanced: by the expected cost times the expected time until it is done, which no unit of money or
    time changes: who pays twice as much is done in less than half the time. ValueError for a deadline that is not
    there."""
    fitting, rejected = filter_offers(need, offers)
    rank = _RANKS[objective]
    fitting.sort(key=lambda offer: rank(need, offer))
    return Choice(fitting=tuple(fitting), rejected=tuple(rejected), objective=objective)


def is_in_time(need: Need, offer: Offer) -> bool:
    """Whether nine in ten jobs like it are done there by the deadline. ValueError where there is none."""
    return expected(need, offer).finish.p90 <= need.time_left


def _cheapest(need: Need, offer: Offer) -> Rank:
    return _most(offer), _expected_micro(offer), *_sooner(need, offer), offer.place


def _soonest(need: Need, offer: Offer) -> Rank:
    return *_sooner(need, offer), _most(offer), offer.place


def _in_time(need: Need, offer: Offer) -> Rank:
    if is_in_time(need, offer):
        return False, *_cheapest(need, offer)
    finish = expected(need, offer).finish
    return True, -likelihood(finish, need.time_left), finish.p50, _most(offer), offer.place


def _balanced(need: Need, offer: Offer) -> Rank:
    """The product is a rank, no money: it may be rounded."""
    finish = expected(need, offer).finish.p50
    return float(_expected_micro(offer)) * finish.total_seconds(), finish, _most(offer), offer.place


_RANKS: dict[Objective, Callable[[Need, Offer], Rank]] = {
    Objective.CHEAPEST: _cheapest,
    Objective.SOONEST: _soonest,
    Objective.DEADLINE: _in_time,
    Objective.BALANCED: _balanced,
}


def _most(offer: Offer) -> int:
    assert offer.most is not None, "filter_offers lets only priced offers through"  # noqa: S101
    return offer.most.micro


def _expected_micro(offer: Offer) -> int:
    return _most(offer) if offer.cost is None else offer.cost.p50.micro


def _sooner(need: Need, offer: Offer) -> Rank:
    """Where two start at the same moment: those that can start now first, then the larger share of free cores."""
    share = offer.free_cores / offer.cores if offer.cores else 0.0
    return expected(need, offer).start.p50, not starts_now(need, offer), -share
