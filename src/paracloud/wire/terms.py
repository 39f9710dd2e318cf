"""What a centre was connected with, on the wire, and what is to become another of it."""

from typing import Annotated

from pydantic import Field

from paracloud.wire.base import Model, Text

Line = Annotated[str, Field(max_length=2000)]


class TermsRequest(Model):
    """What is not set stays as it is. Another address comes with the host key that was vouched for there. `reason` is
    kept, with who changed it."""

    reason: Text = Field(min_length=1)
    host: Text | None = None
    port: int | None = Field(None, ge=1, le=65535)
    host_key: Line | None = None
    commands_per_minute: int | None = Field(None, ge=12, le=6000)
    patience_seconds: int | None = Field(None, ge=1, le=604_800)
    overrun_seconds: int | None = Field(None, ge=0, le=86_400)
    region: Text | None = None


class TermsModel(Model):
    centre: str
    host: str
    port: int
    host_key: str
    dialect: str
    service_account: str
    commands_per_minute: int
    patience_seconds: int
    overrun_seconds: int
    region: str
