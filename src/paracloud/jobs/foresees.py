"""Who foresees how long a job waits and runs."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import JobId, ProjectId, UserId
from paracloud.placement.columns import Whole
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Prediction


class Prospects(NamedTuple):
    """Of one job at the offers of a market, in microseconds: worked out for those that somebody asks for, by their
    numbers; or one number, where it is the same everywhere."""

    wait_p50: Callable[[Whole], Whole]
    wait_both: Callable[[Whole], tuple[Whole, Whole]]
    """P50 and P90, for little more than one of them."""
    run_p50: Callable[[Whole], Whole] | int
    run_p90: Callable[[Whole], Whole] | int
    model: str
    """What made them."""


class Foresees(Protocol):
    """From memory, within microseconds: at one offer, or the same at all offers of a market. `refresh` reads what came
    since, `keep` writes what is known of a job where it is placed: to learn from, when it has started."""

    async def refresh(self, session: AsyncSession) -> None: ...
    def predict(self, project: ProjectId, user: UserId, spec: JobSpec, offer: Offer) -> Prediction: ...
    def prospects(self, project: ProjectId, user: UserId, spec: JobSpec, offers: Sequence[Offer]) -> Prospects: ...

    async def keep(
        self, session: AsyncSession, job: JobId, project: ProjectId, spec: JobSpec, offer: Offer, *, user: UserId
    ) -> None: ...
