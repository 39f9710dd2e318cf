"""What is expected of a job at each offer: how long it will wait there, and how long it will run.

One `Foresight` a process. At each request it is refreshed, which reads nothing that is fresh; then `predict` is asked
for each offer that fits, and where the job is placed, `keep` what was known of it: models learn from that.
"""

from collections.abc import Hashable
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import NamedTuple
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_waits
from paracloud.jobs.array import read_array
from paracloud.jobs.experience import DAY, HOUR, NOTHING, Experience, Place, keys_of
from paracloud.jobs.spec import JobSpec
from paracloud.kit.clock import Clock
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import JobId, ProjectId, UserId
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.wait_model import FORMAT, read_model
from paracloud.placement.waits import Features, PlainWaits, Waits, quantiles

log = structlog.get_logger()

FRESH_FOR = timedelta(seconds=5)
FORETOLD_MOST = 10_000


class _Wish(NamedTuple):
    """What of a job is the same at every offer. `known`: the first of its features."""

    project: ProjectId
    user: UserId
    spec: JobSpec
    keys: tuple[Hashable, ...]
    known: tuple[float, ...]


class Foresight:
    """`predict` asks no database: it knows what the last `refresh` read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._experience = Experience()
        self._waits: Waits = PlainWaits()
        self._read_at: datetime | None = None
        self._wish: _Wish | None = None
        self._places: dict[Place, tuple[float, ...]] = {}
        self._model: UUID | None = None
        self._foretold: dict[Features, Quantiles] = {}

    async def refresh(self, session: AsyncSession) -> None:
        """One reads while others go on with what they have. What failed is tried again by the next."""
        now, before = self._clock.now(), self._read_at
        if before is not None and timedelta(0) <= now - before < FRESH_FOR:
            return
        self._read_at = now
        try:
            await self._experience.read(session, now)
            await self._take_model(session)
        except BaseException:
            self._read_at = before
            raise
        self._wish = None
        self._places.clear()
        self._foretold.clear()

    async def _take_model(self, session: AsyncSession) -> None:
        """The newest one, where it is better than the plain rule. One that cannot be read leaves the plain rule too."""
        newest = await store_waits.newest_model(session)
        if newest is None or newest.id == self._model:
            return
        found: Waits = PlainWaits()
        if newest.is_used and newest.format == FORMAT:
            text = await store_waits.model_text(session, newest)
            try:
                found = read_model(f"trees {newest.trained_at:%Y-%m-%dT%H:%M}", text)
            except Invalid as wrong:
                log.warning("waits.model_unread", model=str(newest.id), reason=wrong.en)
        self._model, self._waits = newest.id, found

    async def keep(
        self, session: AsyncSession, job: JobId, project: ProjectId, spec: JobSpec, offer: Offer, *, user: UserId
    ) -> None:
        """What is known of the job at the offer where it is placed, in the transaction that places it."""
        known = self.features(project, user, spec, offer)
        await store_waits.add_features(session, job, self._clock.now(), known._asdict())

    def predict(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Prediction:
        """`wait` is from the platform's acceptance to the start; `run` of one task, no longer than its time limit."""
        keys = (*self._of(project, user, spec).keys, (offer.centre, offer.queue))
        run = self._experience.runs.predict(keys, spec.wall_limit.total_seconds())
        wait = self._wait(self.features(project, user, spec, offer))
        return Prediction(wait, quantiles(run.p50, run.p90), self._waits.name)

    def _wait(self, features: Features) -> Quantiles:
        """Many ask for the same between two refreshes: jobs like each other, or one at many offers like each other."""
        found = self._foretold.get(features)
        if found is None:
            if len(self._foretold) >= FORETOLD_MOST:
                self._foretold.clear()
            found = self._foretold[features] = self._waits.predict(features)
        return found

    def features(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Features:
        """What is known now of the job at the offer."""
        place = (offer.centre, offer.queue)
        here = self._places.get(place)
        if here is None:
            here = self._places[place] = self._at(place)
        free = (offer.cores, offer.free_cores, offer.free_nodes)
        return Features._make((*self._of(project, user, spec).known, *free, *here))

    def _of(self, project: ProjectId, user: UserId, spec: JobSpec) -> _Wish:
        """It is asked for at each offer: the last one is kept."""
        last = self._wish
        if last is not None and last.spec is spec and last.user == user and last.project == project:
            return last
        now, own, nodes = self._clock.now().astimezone(UTC), self._experience.recent(user, DAY), spec.nodes or 1
        cores = spec.cores * (read_array(spec.array).tasks if spec.array else 1)
        asked = (cores, nodes, spec.gpus_per_node * nodes, spec.wall_limit.total_seconds())
        known = (now.hour, now.weekday(), *asked, own.count, own.p50)
        keys = keys_of(project, user, spec.name, sha256(spec.script.encode()).digest())
        self._wish = _Wish(project, user, spec, keys, known)
        return self._wish

    def _at(self, place: Place) -> tuple[float, ...]:
        """The last of the features, from `waiting_jobs` on."""
        known = self._experience
        waiting, running = known.waiting.get(place, NOTHING), known.running.get(place, NOTHING)
        hour, day = known.recent(place, HOUR), known.recent(place, DAY)
        oldest = (self._clock.now() - waiting.oldest).total_seconds() if waiting.oldest is not None else 0.0
        ours = (waiting.jobs, waiting.cores, waiting.core_seconds, max(oldest, 0.0), running.jobs, running.cores)
        waits = (hour.count, hour.p50, hour.p90, day.count, day.p50, day.p90)
        return (*ours, *waits, known.usual_start(place[0]))
