"""Every query on changes of what centres were connected with."""

from datetime import datetime

from sqlalchemy import insert, select, update
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.centre import Centre
from paracloud.centres.tables import CentreRow, ChangeRow
from paracloud.kit.identifiers import CentreName


async def lock(session: AsyncSession, name: CentreName) -> None:
    """One at a time changes it; who adds a row of it waits for nothing."""
    query = select(CentreRow.name).where(CentreRow.name == name).with_for_update(key_share=True)
    await session.execute(query)


async def change(
    session: AsyncSession, before: Centre, after: Centre, *, person: str, reason: str, now: datetime
) -> None:
    """Keep what was, and by whose word it is not any more."""
    word = {"centre": before.name, "person": person, "reason": reason, "changed_at": now}
    await session.execute(insert(ChangeRow).values(**word, **_terms(before)))
    await session.execute(update(CentreRow).where(CentreRow.name == before.name).values(**_terms(after)))


def _terms(of: Centre) -> dict[str, object]:
    return {
        "host": of.host,
        "port": of.port,
        "host_key": of.host_key,
        "commands_per_minute": of.commands_per_minute,
        "patience_seconds": int(of.patience.total_seconds()),
        "overrun_seconds": int(of.overrun.total_seconds()),
        "region": of.region,
    }
