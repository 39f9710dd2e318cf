"""A centre takes no new jobs, by the operator's word, until it is resumed. What it has goes on there."""

from datetime import datetime

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres import store
from paracloud.centres.registry import reached_centre
from paracloud.kit.identifiers import CentreName

log = structlog.get_logger()


async def drain(session: AsyncSession, centre: CentreName, *, person: str, now: datetime) -> None:
    """Quotes say so, and jobs that wait there move as others do. NotFound; Conflict where only its history is kept."""
    await _become(session, centre, person, now, is_enabled=False)


async def resume(session: AsyncSession, centre: CentreName, *, person: str, now: datetime) -> None:
    """It takes jobs again. NotFound; Conflict where only its history is kept."""
    await _become(session, centre, person, now, is_enabled=True)


async def _become(session: AsyncSession, centre: CentreName, person: str, now: datetime, *, is_enabled: bool) -> None:
    await reached_centre(session, centre)
    await store.set_enabled(session, centre, is_enabled=is_enabled)
    log.info("centre.resumed" if is_enabled else "centre.drained", centre=centre, person=person, at=now.isoformat())
