"""What the operator says that centres have, and where data may be, on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, Text

Names = Annotated[list[Text], Field(max_length=1000)]


class ProvisionRequest(Model):
    """What is not set stays as it is; a list replaces the one that was there."""

    applications: Names | None = None
    licences: Names | None = None
    trust: int | None = Field(None, ge=0, le=5)
    bytes_per_second: int | None = Field(None, ge=1, le=1 << 50)


class ProvisionModel(Model):
    """`licences` null: nothing is said of them, and the centre's scheduler decides. `trust`: 0 where nobody looked at
    it, 5 at the most. `bytes_per_second` null: nobody measured how fast files come there."""

    centre: str
    applications: list[str]
    licences: list[str] | None
    trust: int
    bytes_per_second: int | None


class ResidencyRequest(Model):
    """`regions` null: anywhere; as `centres` shows them."""

    regions: Annotated[list[Text], Field(max_length=100)] | None


class ResidencyModel(Model):
    project: UUID
    regions: list[str] | None
