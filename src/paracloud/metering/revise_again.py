"""A usage under its next revision with the same figures, so that it can be charged anew beside what was taken back:
each charge, its receipt and its line on a statement keep a revision of their own, with its evidence."""

from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.metering import store
from paracloud.metering.usage import Usage


async def revise_again(session: AsyncSession, usage: Usage, *, now: datetime) -> Usage:
    """`usage` is locked and in its newest revision."""
    again = replace(usage, revision=usage.revision + 1)
    await store.correct(session, [again])
    await store.keep_again(session, again, now)
    return again
