"""A centre whose machines are off, by its operator's word, and what becomes of its jobs, on the wire."""

from typing import Annotated
from uuid import UUID

from pydantic import Field

from paracloud.wire.base import Model, Name


class StrandedModel(Model):
    """`stranded`: jobs that were sent there and are not known to have started; the word gives them up. `watched`: all
    others that its accounting is waited for."""

    stranded: int
    watched: int


class GoneRequest(Model):
    """`after`: the last job that was looked at by the call before; none in the first."""

    reason: Annotated[Name, Field(description="How it is known. Shown to the users whose jobs begin anew.")]
    after: UUID | None = None


class StaysModel(Model):
    """A job that waits for its centre all the same, and why."""

    job: UUID
    en: str
    zh: str


class GivenUpModel(Model):
    """`last`: others may still wait, after this job; none: all were looked at."""

    moved: int
    stays: list[StaysModel]
    last: UUID | None
