"""How long a job will wait in a queue: what can be known when it is placed, and what to expect without a model. Pure.

A cloud sees little of a foreign queue: its size and what is free, its own jobs there, and how long those waited. All of
it is in `Features`, kept with each job when it is placed, so that a model can learn later from what was known then.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Final, NamedTuple, Protocol

from paracloud.placement.prediction import Quantiles

PLAIN: Final = "plain"
LEAST_WAITS: Final = 5
"""Waits of a queue before they are believed."""
USUAL_START: Final = 30.0
"""Seconds from our acceptance to the start where there is room, of a centre of which nothing is known yet."""
ROOM_P90: Final = 20.0
"""Times the usual start, of one in ten that find room and wait all the same: for a limit, a reservation, a priority."""
NO_ROOM: Final = (3600.0, 86400.0)
"""P50 and P90 in seconds where a queue is full and nobody has waited there: about the median and the 90th percentile of
public queue logs. To be replaced by anything better."""


class Features(NamedTuple):
    """What is known of a job at a queue when it is placed, as numbers. Times are seconds; `hour` and `weekday` (Monday
    is 0) are UTC. Waits are -1 where there are none."""

    hour: float
    weekday: float
    cores: float
    """Of all its tasks."""
    nodes: float
    """That are to be its own, or were asked for; 0 for a job that takes cores wherever they are."""
    gpus: float
    wall_seconds: float
    user_waits: float
    """How many of the user's started anywhere within the last day, and what half of them had waited."""
    user_p50: float
    queue_cores: float
    free_cores: float
    free_nodes: float
    waiting_jobs: float
    """Ours, at this queue, with what they asked for."""
    waiting_cores: float
    waiting_core_seconds: float
    oldest_wait: float
    running_jobs: float
    running_cores: float
    hour_waits: float
    """How many of ours started there within the last hour, and what they had waited; then within the last day."""
    hour_p50: float
    hour_p90: float
    day_waits: float
    day_p50: float
    day_p90: float
    usual_start: float
    """A wait at this centre where there is room."""

    @property
    def has_room(self) -> bool:
        """What is free holds the job and all of ours that came before it."""
        return self.cores + self.waiting_cores <= self.free_cores and self.nodes <= self.free_nodes


class Waits(Protocol):
    """What predicts waits. `name`: as it is kept with each prediction."""

    @property
    def name(self) -> str: ...

    def predict(self, features: Features) -> Quantiles: ...


@dataclass(frozen=True, slots=True)
class PlainWaits:
    """Where too little was seen to train on. In a queue with room a job starts as usual there; in another it waits as
    those did that started within the last hour, or the last day. P90 is widened where few have waited, and is no
    shorter than what one of ours has already waited there."""

    name: str = PLAIN

    def predict(self, features: Features) -> Quantiles:
        p50, p90 = _recent(features)
        if features.has_room:
            p50 = min(p50, features.usual_start)
            if features.day_waits < LEAST_WAITS:
                p90 = features.usual_start * ROOM_P90
        return quantiles(p50, max(p90, features.oldest_wait))


def quantiles(p50: float, p90: float) -> Quantiles:
    """From seconds, in whatever order: never below nothing, and P90 no shorter than P50."""
    middle = max(p50, 0.0)
    return Quantiles(timedelta(seconds=round(middle)), timedelta(seconds=round(max(p90, middle))))


def quantile(ordered: Sequence[float], part: float) -> float:
    """Of values in order, at least one of them: the smallest that at least `part` of them do not exceed."""
    return ordered[min(int(part * len(ordered)), len(ordered) - 1)]


def _recent(features: Features) -> tuple[float, float]:
    if features.hour_waits >= LEAST_WAITS:
        return features.hour_p50, _widened(features.hour_p90, features.hour_waits)
    if features.day_waits >= LEAST_WAITS:
        return features.day_p50, _widened(features.day_p90, features.day_waits)
    return NO_ROOM


def _widened(p90: float, count: float) -> float:
    """The highest of a few is hardly the highest of all: twice as long for five waits, a fifth more for a hundred."""
    return p90 * (1 + math.sqrt(LEAST_WAITS / count))
