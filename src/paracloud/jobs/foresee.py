"""What is expected of a job at each offer: how long it will wait there, and how long it will run.

One `Foresight` a process. At each request it is refreshed, which reads nothing that is fresh; then `predict` is asked
for each offer that fits, and where the job is placed, `keep` what was known of it: models learn from that.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_waits
from paracloud.jobs.experience import Experience
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.sight import Sight
from paracloud.jobs.spec import JobSpec
from paracloud.kit.clock import Clock
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import JobId, ProjectId, UserId
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Prediction
from paracloud.placement.wait_model import FORMAT, TreeWaits, read_model
from paracloud.placement.waits import Features, PlainWaits

log = structlog.get_logger()

FRESH_FOR = timedelta(seconds=5)


class Foresight:
    """`predict` asks no database: it knows what the last `refresh` read."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._experience = Experience()
        self._waits: PlainWaits | TreeWaits = PlainWaits()
        self._read_at: datetime | None = None
        self._model: UUID | None = None
        self._sight = Sight(self._experience, self._waits, clock.now())

    @property
    def model(self) -> str:
        return self._sight.model

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
        self._sight = Sight(self._experience, self._waits, now)

    async def _take_model(self, session: AsyncSession) -> None:
        """The newest one, where it is better than the plain rule. One that cannot be read leaves the plain rule too."""
        newest = await store_waits.newest_model(session)
        if newest is None or newest.id == self._model:
            return
        found: PlainWaits | TreeWaits = PlainWaits()
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
        return self._sight.predict(project, user, spec, offer)

    def features(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Features:
        return self._sight.features(project, user, spec, offer)

    def prospects(self, project: ProjectId, user: UserId, spec: JobSpec, offers: Sequence[Offer]) -> Prospects:
        return self._sight.prospects(project, user, spec, offers)
