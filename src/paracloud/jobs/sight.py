"""What one reading of the past expects of jobs at offers: how long each will wait there, and how long it will run."""

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from paracloud.jobs.array import read_array
from paracloud.jobs.experience import NOTHING, Experience, Place, keys_of
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.placement.columns import MICROSECOND, Whole
from paracloud.placement.offer import Offer
from paracloud.placement.past import RunTime, RunTimesEach
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.wait_model import TreeWaits
from paracloud.placement.waited import DAY, HOUR
from paracloud.placement.waits import Features, PlainWaits, quantiles
from paracloud.placement.wide_waits import OF_JOB, WideWaits, wide_waits

SECOND = timedelta(seconds=1)
KEPT_MOST = 10_000
"""Answers that are given again: many ask for the same."""


class _Wish(NamedTuple):
    """What of a job is the same at every offer. `known`: the first of its features."""

    project: ProjectId
    user: UserId
    spec: JobSpec
    keys: tuple[Hashable, ...]
    known: tuple[float, ...]


class Sight:
    """At the moment `now`, when `experience` was read; it is out of date when that is read again."""

    def __init__(self, experience: Experience, waits: PlainWaits | TreeWaits, now: datetime) -> None:
        self._experience, self._waits, self._now = experience, waits, now
        self._wish: _Wish | None = None
        self._places: dict[Place, tuple[float, ...]] = {}
        self._foretold: dict[Features, Quantiles] = {}
        self._wide: tuple[Sequence[Offer], WideWaits, RunTimesEach] | None = None

    @property
    def model(self) -> str:
        return self._waits.name

    def predict(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Prediction:
        """`wait` is from the platform's acceptance to the start; `run` of one task, no longer than its time limit."""
        keys = (*self._of(project, user, spec).keys, (offer.centre, offer.queue))
        run = self._experience.runs.predict(keys, spec.wall_limit.total_seconds())
        wait = self._wait(self.features(project, user, spec, offer))
        return Prediction(wait, quantiles(run.p50, run.p90), self.model)

    def prospects(self, project: ProjectId, user: UserId, spec: JobSpec, offers: Sequence[Offer]) -> Prospects:
        """The same at each of the `offers` of one market."""
        wish, wall = self._of(project, user, spec), spec.wall_limit.total_seconds()
        wide, runs = self._at_all(offers)
        waits, own = wide(wish.known), self._experience.runs.known(wish.keys, wall)
        if own is not None:
            return Prospects(*waits, *_microseconds(own), self.model)
        return Prospects(
            *waits, lambda at: _whole(runs.p50(at, wall)), lambda at: _whole(runs.p90(at, wall)), self.model
        )

    def features(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Features:
        """What is known now of the job at the offer."""
        return Features._make((*self._of(project, user, spec).known, *self._of_place(offer)))

    def _wait(self, features: Features) -> Quantiles:
        """Many ask for the same between two readings: jobs like each other, or one at many offers like each other."""
        found = self._foretold.get(features)
        if found is None:
            if len(self._foretold) >= KEPT_MOST:
                self._foretold.clear()
            found = self._foretold[features] = self._waits.predict(features)
        return found

    def _at_all(self, offers: Sequence[Offer]) -> tuple[WideWaits, RunTimesEach]:
        """Of the newest market that was asked for."""
        if self._wide is None or self._wide[0] is not offers:
            waits = wide_waits(self._waits, [self._of_place(one) for one in offers])
            self._wide = offers, waits, self._experience.runs.each([(one.centre, one.queue) for one in offers])
        return self._wide[1:]

    def _of(self, project: ProjectId, user: UserId, spec: JobSpec) -> _Wish:
        """It is asked for at each offer: the last one is kept."""
        last = self._wish
        if last is not None and last.spec is spec and last.user == user and last.project == project:
            return last
        now, own = self._now.astimezone(UTC), self._experience.recent(user, DAY)
        idle_nodes = spec.nodes or (1 if spec.exclusive else 0)
        cores = spec.cores * (read_array(spec.array).tasks if spec.array else 1)
        asked = (cores, idle_nodes, spec.gpus_per_node * (spec.nodes or 1), spec.wall_limit.total_seconds())
        known = (now.hour, now.weekday(), *asked, own.count, own.p50)
        assert len(known) == OF_JOB, "what is known of a job comes first"  # noqa: S101
        keys = keys_of(project, user, spec.name, sha256(spec.script.encode()).digest())
        self._wish = _Wish(project, user, spec, keys, known)
        return self._wish

    def _of_place(self, offer: Offer) -> tuple[float, ...]:
        """All features but the job's own."""
        place = (offer.centre, offer.queue)
        ours = self._places.get(place)
        if ours is None:
            ours = self._places[place] = self._ours(place)
        return (offer.cores, offer.free_cores, offer.free_nodes, *ours)

    def _ours(self, place: Place) -> tuple[float, ...]:
        """The last of the features, from `waiting_jobs` on."""
        known = self._experience
        waiting, running = known.waiting.get(place, NOTHING), known.running.get(place, NOTHING)
        hour, day = known.recent(place, HOUR), known.recent(place, DAY)
        oldest = (self._now - waiting.oldest).total_seconds() if waiting.oldest is not None else 0.0
        ours = (waiting.jobs, waiting.cores, waiting.core_seconds, max(oldest, 0.0), running.jobs, running.cores)
        waits = (hour.count, hour.p50, hour.p90, day.count, day.p50, day.p90)
        return (*ours, *waits, known.usual_start(place[0]))


def _microseconds(run: RunTime) -> tuple[int, int]:
    found = quantiles(run.p50, run.p90)
    return found.p50 // MICROSECOND, found.p90 // MICROSECOND


def _whole(seconds: NDArray[np.float64]) -> Whole:
    """Microseconds, as `quantiles` rounds them."""
    found: Whole = np.rint(seconds).astype(np.int64) * (SECOND // MICROSECOND)
    return found
