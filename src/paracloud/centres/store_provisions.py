"""Every query on what the operator says that centres have."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.centre import Provision
from paracloud.centres.tables import ProvisionRow
from paracloud.kit.identifiers import CentreName


async def provisions(session: AsyncSession) -> dict[CentreName, Provision]:
    rows = (await session.execute(select(ProvisionRow))).scalars()
    return {CentreName(row.centre): _provision(row) for row in rows}


async def lock_provision(session: AsyncSession, centre: CentreName, now: datetime, person: str) -> Provision:
    """What is said until now; the next who asks waits until this transaction ends."""
    nothing = _values(Provision()) | {"changed_at": now, "changed_by": person}
    await session.execute(insert(ProvisionRow).values(centre=centre, **nothing).on_conflict_do_nothing())
    query = select(ProvisionRow).where(ProvisionRow.centre == centre).with_for_update()
    return _provision((await session.execute(query)).scalar_one())


async def put_provision(
    session: AsyncSession, centre: CentreName, provision: Provision, now: datetime, person: str
) -> None:
    values = _values(provision) | {"changed_at": now, "changed_by": person}
    putting = insert(ProvisionRow).values(centre=centre, **values)
    await session.execute(putting.on_conflict_do_update(index_elements=["centre"], set_=values))


def _values(of: Provision) -> dict[str, object]:
    return {
        "applications": sorted(of.applications),
        "licences": None if of.licences is None else sorted(of.licences),
        "trust": of.trust,
        "bytes_per_second": of.bytes_per_second,
    }


def _provision(row: ProvisionRow) -> Provision:
    licences = None if row.licences is None else frozenset(row.licences)
    return Provision(frozenset(row.applications), licences, row.trust, row.bytes_per_second)
