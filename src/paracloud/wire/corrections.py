"""What the operator puts right, on the wire: what a usage costs, adjustments, packages that end."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import LongText, Model, MoneyModel

Reason = Annotated[LongText, Field(min_length=1, max_length=1000)]


class RateRequest(Model):
    """Of usage that is unrated, or was reversed whole: either it is charged whole at `price`, a version of the same
    centre, or `waive` says that it costs nothing."""

    price: UUID | None = None
    waive: bool = False
    reason: Reason


class RatedModel(Model):
    """`revision`: the usage's that was decided on. `is_new`: decided now, and not in the same words before."""

    usage: UUID
    revision: int
    price: UUID | None
    amount: MoneyModel
    is_new: bool
