"""What a job demands of where it runs, on the wire."""

from typing import Annotated

from pydantic import Field

from paracloud.wire.account import Amount
from paracloud.wire.base import Model, Text, Time

Names = Annotated[list[Text], Field(max_length=100)]
WAIT_MOST_SECONDS = 10 * 366 * 86_400


class ConstraintsModel(Model):
    """What is left out demands nothing. `deadline`: when the job must have ended, with the objective of that name.
    `residency`: the regions that its data may be in, beside what its project allows. `most_cost`: in whole units of the
    price's currency, held against the most that the job can cost. `most_wait_seconds`: what at most one job in ten may
    wait longer than."""

    deadline: Time | None = None
    region: Text | None = None
    residency: Names | None = None
    applications: Names = Field(default_factory=list)
    least_trust: int = Field(0, ge=0, le=5)
    most_cost: Amount | None = None
    most_wait_seconds: int | None = Field(None, ge=0, le=WAIT_MOST_SECONDS)


NO_CONSTRAINTS = ConstraintsModel()
