"""Who foresees how long a job waits and runs."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol, runtime_checkable

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import JobId, ProjectId, UserId
from paracloud.placement.columns import Whole
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Prediction


class Foresees(Protocol):
    """From memory, within microseconds. `refresh` reads what came since, `keep` writes what is known of a job where it
    is placed: to learn from, when it has started."""

    async def refresh(self, session: AsyncSession) -> None: ...
    def predict(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Prediction: ...

    async def keep(
        self, session: AsyncSession, job: JobId, project: ProjectId, spec: JobSpec, offer: Offer, *, user: UserId
    ) -> None: ...


class Times(NamedTuple):
    """Microseconds, for each of some offers."""

    wait_p50: Whole
    wait_p90: Whole
    run_p50: Whole
    run_p90: Whole


@runtime_checkable
class ForeseesMany(Protocol):
    """Who foresees for many offers at once, just as it does for each: `at` are their numbers among the market's.
    `model`: what made the predictions."""

    @property
    def model(self) -> str: ...

    def many(self, project: ProjectId, user: UserId, spec: JobSpec, offers: Sequence[Offer], at: Whole) -> Times: ...
