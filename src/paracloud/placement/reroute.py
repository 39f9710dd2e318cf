"""Whether a waiting job would do better at another centre. Pure.

A job that has waited longer than was expected is expected to wait about as long again: of what takes much longer than
usual nothing better is known. It moves to where it would start clearly sooner, and seldom.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta

from paracloud.kit.identifiers import CentreName
from paracloud.placement.constraints import Constraints
from paracloud.placement.expected import starts_now
from paracloud.placement.filter import filter_offers
from paracloud.placement.offer import Need, Objective, Offer

PATIENCE = timedelta(minutes=10)
"""How long a job waits before it is looked after, where no wait was predicted."""
GAIN_LEAST = timedelta(minutes=1)
"""A move costs its place in the queue and a few rounds of commands: a smaller gain is not worth it."""
COOL_DOWN = timedelta(minutes=10)
"""Between the end of one try to move a job and the next. Longer than any command can still be under way."""
MOVES_A_JOB = 3
IN_A_HURRY = frozenset({Objective.SOONEST, Objective.DEADLINE})


@dataclass(frozen=True, slots=True)
class Waiting:
    """A job in a queue. `expected`: the wait that nine of ten jobs like it do not exceed; None: nothing was predicted.
    `most_micro`: what it can cost at most where it is. `rested`: since the last try to move it; None: there was
    none."""

    centre: CentreName
    queue: str
    objective: Objective
    waited: timedelta
    expected: timedelta | None
    most_micro: int
    moves: int = 0
    rested: timedelta | None = None

    @property
    def is_late(self) -> bool:
        return self.waited > (PATIENCE if self.expected is None else self.expected)


def may_cost_more(objective: Objective, demands: Constraints) -> bool:
    """Whether it may go to a dearer place, where the wallet allows it: its user is in a hurry, or has named the most
    that it may cost. All others pay no more than the most that was held for them when they were accepted."""
    return objective in IN_A_HURRY or demands.most_cost is not None


def better(need: Need, waiting: Waiting, offers: Iterable[Offer]) -> Offer | None:
    """The offer of another centre that gains the job most time; of equals the cheapest. Where nothing is predicted, a
    queue is sooner only if what the job needs is free there now. Who is not in a hurry pays no more anywhere than was
    agreed to."""
    if not waiting.is_late or waiting.moves >= MOVES_A_JOB:
        return None
    if waiting.rested is not None and waiting.rested < COOL_DOWN:
        return None
    fitting, _ = filter_offers(need, offers)
    gains = [
        (gain, offer)
        for offer in fitting
        if offer.centre != waiting.centre and _is_allowed(need, waiting, offer)
        if (gain := _gain(need, waiting, offer)) >= GAIN_LEAST
    ]
    return min(gains, key=lambda one: (-one[0], _most(one[1]), one[1].place))[1] if gains else None


def _is_allowed(need: Need, waiting: Waiting, offer: Offer) -> bool:
    return may_cost_more(waiting.objective, need.constraints) or _most(offer) <= waiting.most_micro


def _gain(need: Need, waiting: Waiting, offer: Offer) -> timedelta:
    if offer.prediction is not None:
        return waiting.waited - offer.prediction.wait.p90 - offer.moving
    return waiting.waited if starts_now(need, offer) else timedelta(0)


def _most(offer: Offer) -> int:
    assert offer.most is not None, "filter_offers lets only priced offers through"  # noqa: S101
    return offer.most.micro


def explain_move(waiting: Waiting, offer: Offer) -> tuple[str, str]:
    """Why it moves, in two sentences, English and Chinese."""
    waited = int(waiting.waited.total_seconds())
    of = f"{waiting.centre}/{waiting.queue}"
    if waiting.expected is None:
        late_en, late_zh = f"it has waited {waited} s there", f"已排队 {waited} 秒"
    else:
        expected = int(waiting.expected.total_seconds())
        late_en = f"it has waited {waited} s there, longer than the {expected} s that were to be expected"
        late_zh = f"已排队 {waited} 秒，超过预期的 {expected} 秒"
    soon_en, soon_zh = _soon(offer)
    return (
        f"moved from {of} to {offer.place} because {late_en}, and {offer.place} {soon_en}",
        f"由 {of} 改派至 {offer.place}：{late_zh}，而 {offer.place} {soon_zh}",
    )


def _soon(offer: Offer) -> tuple[str, str]:
    if offer.prediction is None:
        return f"has {offer.free_cores}/{offer.cores} cores free", f"现有空闲核 {offer.free_cores}/{offer.cores}"
    seconds = int((offer.prediction.wait.p90 + offer.moving).total_seconds())
    return f"is expected to start it within {seconds} s", f"预计 {seconds} 秒内开始"
