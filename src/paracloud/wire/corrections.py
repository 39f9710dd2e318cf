"""What the operator puts right, on the wire: what a usage costs, adjustments, packages that end."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from paracloud.wire.account import Amount
from paracloud.wire.base import LongText, Model, MoneyModel, Text

Reason = Annotated[LongText, Field(min_length=1, max_length=1000)]


class RateRequest(Model):
    """Of usage that is unrated, was reversed whole, or (for a price) waived: either it is charged whole at `price`, a
    version of the same centre, or `waive` says that it costs nothing."""

    price: UUID | None = None
    waive: bool = False
    reason: Reason


class ReverseUsageRequest(Model):
    reason: Reason


class ReversedModel(Model):
    """`amount`: what its charges come to less for it. `entry` None: nothing moved."""

    usage: UUID
    amount: MoneyModel
    entry: UUID | None


class AdjustmentRequest(Model):
    """`amount`: more than nothing goes to the project's wallet, less is taken from it. `key` is the adjustment's own
    number: the same one counts once."""

    project: UUID
    amount: Amount
    reason: Reason
    key: Text


class EndPackageRequest(Model):
    reason: Reason


class EndedModel(Model):
    """`returned`: what the wallet got back of its price."""

    id: UUID
    returned: MoneyModel


class RatedModel(Model):
    """`revision`: the usage's that was decided on. `is_new`: decided now, and not in the same words before."""

    usage: UUID
    revision: int
    price: UUID | None
    amount: MoneyModel
    is_new: bool
