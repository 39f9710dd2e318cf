"""Train a model of waits from what was known of jobs when they were placed, and say whether it is worth using. Pure.

The newest fifth of the jobs judges: a model that saw only what was known before these were placed is held against the
plain rule on them. The model that is kept is then trained in the same way on all of them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from paracloud.placement.learn_waits import (
    BLOCKS,
    MIDDLE,
    UPPER,
    Days,
    Growth,
    Numbers,
    conformal,
    forest_of,
    grow,
    missed_unseen,
)
from paracloud.placement.trees import Forest
from paracloud.placement.wait_model import LEAST_JOBS, TreeWaits, write_model
from paracloud.placement.waits import Features, PlainWaits, Waits

JUDGED: Final = 0.2
P50, P90 = 0.5, 0.9
GROWTH: Final = Growth(part=P90, trees=80, threads=1)
HOUR_SECONDS: Final = 3600


class Waited(NamedTuple):
    """`placed_at`: seconds since the epoch; `waited`: seconds from then to the start."""

    features: Features
    placed_at: float
    waited: float


@dataclass(frozen=True, slots=True)
class Scores:
    """On the jobs that judge. `loss`: the mean pinball loss of P50 and P90, in log10 of seconds, the less the better;
    `held`: the part of them that waited no longer than P90."""

    jobs: int
    loss: float
    plain_loss: float
    held: float
    plain_held: float


@dataclass(frozen=True, slots=True)
class Trained:
    """`model`: as `read_model` takes it. `hours`: between the first job and the last."""

    model: str
    jobs: int
    hours: int
    scores: Scores


def train(waited: Sequence[Waited]) -> Trained | None:
    """None where too few have waited to learn anything."""
    jobs = sorted(waited, key=lambda one: one.placed_at)
    cut = int(len(jobs) * (1 - JUDGED))
    if len(jobs) < LEAST_JOBS or len({_hour(one) for one in jobs[:cut]}) < BLOCKS:
        return None
    judged = jobs[cut:]
    scores = _scores(_model(jobs[:cut], judged[0].placed_at), judged)
    final = _model(jobs, max(one.placed_at + one.waited for one in jobs))
    hours = (jobs[-1].placed_at - jobs[0].placed_at) / HOUR_SECONDS
    return Trained(write_model(final.middle, final.upper), len(jobs), round(hours), scores)


def _model(jobs: Sequence[Waited], now: float) -> TreeWaits:
    """From what was known at `now`: a job that had not started by then has waited that long."""
    features = np.array([one.features for one in jobs], dtype=np.float64)
    waits = np.log10([max(min(one.waited, now - one.placed_at), 1.0) for one in jobs])
    hours = np.array([_hour(one) for one in jobs], dtype=np.int64)
    return TreeWaits(
        "trained", _calibrated(MIDDLE, P50, features, waits, hours), _calibrated(UPPER, P90, features, waits, hours)
    )


def _calibrated(kind: str, part: float, features: Numbers, waits: Numbers, hours: Days) -> Forest:
    """So that `part` of the jobs are within it. What it is moved by is one more tree, of one leaf."""
    moved = conformal(missed_unseen(kind, GROWTH, features, waits, hours), part)
    return Forest((*forest_of(grow(kind, GROWTH, features, waits)).trees, moved))


def _scores(model: Waits, judged: Sequence[Waited]) -> Scores:
    (loss, held), (plain_loss, plain_held) = _judge(model, judged), _judge(PlainWaits(), judged)
    return Scores(len(judged), loss, plain_loss, held, plain_held)


def _judge(model: Waits, judged: Sequence[Waited]) -> tuple[float, float]:
    said = [model.predict(one.features) for one in judged]
    came = np.log10([max(one.waited, 1.0) for one in judged])
    p50, p90 = (
        np.log10([max(one.total_seconds(), 1.0) for one in ones])
        for ones in ([one.p50 for one in said], [one.p90 for one in said])
    )
    loss = _pinball(came - p50, P50) + _pinball(came - p90, P90)
    return loss, float((came <= p90 + 1e-9).mean())


def _pinball(off: Numbers, part: float) -> float:
    return float(np.maximum(part * off, (part - 1) * off).mean())


def _hour(one: Waited) -> int:
    return int(one.placed_at // HOUR_SECONDS)
