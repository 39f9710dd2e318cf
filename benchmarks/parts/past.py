"""Who foresees in the grid: a table that is looked up in, or what a cloud in use has learnt of its users and queues."""

import random
from collections.abc import Hashable, Sequence
from datetime import timedelta
from math import log

import numpy as np

from benchmarks.parts.grid import NOW
from paracloud.jobs.experience import Experience, Load, keys_of
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.hopes import Asked
from paracloud.jobs.market import Market, Stall
from paracloud.jobs.sight import Sight
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import CentreName, ProjectId, UserId
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.train_waits import Waited, train
from paracloud.placement.wait_model import read_model
from paracloud.placement.waited import DAY, HOUR, NO_RECENT, Recent
from paracloud.placement.waits import PlainWaits

SIZES, MICROSECOND = 16, timedelta(microseconds=1)
HISTORY = 4_000
"""Jobs that have waited, to train on."""


class Table:
    """Predictions by queue and size of a job: cores, in powers of two. The run is a part of the limit."""

    model = "table"

    def __init__(self, stalls: Sequence[Stall], rng: random.Random) -> None:
        base = np.array([rng.lognormvariate(7, 2) for _ in stalls])
        waits = base[:, None] * np.arange(1, SIZES + 1)[None, :]
        self._p50 = np.ascontiguousarray(np.round(waits.T * 1e6).astype(np.int64))
        self._p90 = self._p50 * 6
        self._at = {f"{one.centre.name}/{one.queue.name}": at for at, one in enumerate(stalls)}

    async def refresh(self, session: object) -> None: ...
    async def keep(self, *_told: object, **_more: object) -> None: ...

    def predict(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Prediction:
        at, size = self._at[offer.place], spec.cores.bit_length()
        wait = Quantiles(int(self._p50[size, at]) * MICROSECOND, int(self._p90[size, at]) * MICROSECOND)
        return Prediction(wait, Quantiles(spec.wall_limit // 4, spec.wall_limit * 3 // 4), self.model)

    def prospects(self, project: ProjectId, user: UserId, spec: JobSpec, offers: Sequence[Offer]) -> Prospects:
        size, wall = spec.cores.bit_length(), spec.wall_limit
        half, nine = wall // 4 // MICROSECOND, wall * 3 // 4 // MICROSECOND
        p50, p90 = self._p50[size].take, self._p90[size].take
        return Prospects(p50, lambda at: (p50(at), p90(at)), half, nine, self.model)


class Learned(Sight):
    """By a model that was trained on what a cloud in use had seen."""

    async def refresh(self, session: object) -> None: ...
    async def keep(self, *_told: object, **_more: object) -> None: ...


class Busy(Experience):
    """Two queues in three have jobs of ours, and half of the users ran something before."""

    def __init__(self, stalls: Sequence[Stall], jobs: Sequence[Asked], rng: random.Random) -> None:
        super().__init__()
        self._told: dict[tuple[Hashable, float], Recent] = {}
        self._starts = {one.centre.name: float(rng.randint(1, 90)) for one in stalls}
        for one in stalls:
            if rng.random() < 2 / 3:
                self._see_queue((one.centre.name, one.queue.name), one.queue.cores, rng)
        for who in sorted({one.user for one in jobs}):
            self._told[who, DAY] = _recent(rng, rng.randint(0, 20))
        for job in jobs:
            if job.user.int % 2:
                keys = keys_of(job.customer.project, job.user, job.spec.name, b"")
                wall = job.spec.wall_limit.total_seconds()
                self.runs.learn(keys, wall, wall * rng.uniform(0.05, 1))

    def recent(self, key: Hashable, within_seconds: float) -> Recent:
        return self._told.get((key, within_seconds), NO_RECENT)

    def usual_start(self, centre: str) -> float:
        return self._starts[CentreName(centre)]

    def _see_queue(self, place: tuple[str, str], cores: int, rng: random.Random) -> None:
        for into in (self.waiting, self.running):
            count, each = rng.randint(0, 30), rng.randint(1, 1 + cores // 20)
            oldest = NOW - timedelta(seconds=rng.randint(1, 86_400))
            into[place] = Load(count, count * each, count * each * rng.randint(300, 172_800), oldest)
        self._told[place, HOUR], self._told[place, DAY] = _recent(rng, rng.randint(0, 8)), _recent(rng, 40)
        for _ in range(rng.randint(0, 5)):
            self.runs.learn([place], 86_400, rng.uniform(60, 86_400))


def learned(market: Market, jobs: Sequence[Asked], rng: random.Random) -> Learned:
    """Trained on jobs of the same kind as those that are placed, at any queues, in many states of these."""
    waited: list[Waited] = []
    for number in range(HISTORY // len(market.bare)):
        before = Sight(Busy(market.stalls, jobs[:500], rng), PlainWaits(), NOW - timedelta(hours=rng.randint(0, 500)))
        for offer in market.bare:
            job = jobs[rng.randrange(len(jobs))]
            known = before.features(job.customer.project, job.user, job.spec, offer)
            busy = log(2 + known.waiting_core_seconds) * (1 + known.day_p50) * (1 + known.cores / known.queue_cores)
            waits = 20.0 if known.has_room else busy * (1 + known.wall_seconds / 86_400)
            waited.append(Waited(known, number * 86_400.0 + len(waited) * 20, waits * rng.lognormvariate(0, 1)))
    found = train(waited)
    assert found is not None, "there are enough of them"
    return Learned(Busy(market.stalls, jobs, rng), read_model("made up", found.model), NOW)


def _recent(rng: random.Random, count: int) -> Recent:
    if not count:
        return NO_RECENT
    p50 = rng.lognormvariate(6, 2)
    return Recent(count, p50, p50 * rng.uniform(1, 20))
