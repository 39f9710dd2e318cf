"""An old log is handed in; a worker takes it from there."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.centres.registry import get_centre
from paracloud.dialects.histories import READERS
from paracloud.history import store
from paracloud.history.imported import By, Fault, Import, ImportState
from paracloud.identity.overview import organisations_of
from paracloud.kit.errors import Invalid, NotFound
from paracloud.kit.identifiers import BlobId, CentreName, ImportId, ProjectId, new_uuid

MOST_OWNERS = 1_000_000
PAGE = 1000


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked of an import; see `paracloud.history.imported.Import`."""

    log: BlobId
    name: str
    centre: CentreName
    format: str
    by: By
    owners: Mapping[str, ProjectId]
    accept_faults: bool = False
    leave_out: bool = False


async def request_import(session: AsyncSession, wanted: Wanted, *, person: str, now: datetime) -> Import:
    """NotFound for a centre that is none; Invalid for a format or a project that is none."""
    await get_centre(session, wanted.centre)
    if wanted.format not in READERS:
        names = ", ".join(READERS)
        raise Invalid(f"format: one of {names}.", f"format：可选 {names}。", field="format")
    projects = set(wanted.owners.values())
    if not wanted.owners or len(wanted.owners) > MOST_OWNERS:
        raise Invalid("owners: whose are the log's records?", "owners：请给出账号与课题组的对应关系。", field="owners")
    if missing := projects - (await organisations_of(session, projects)).keys():
        lost = min(map(str, missing))
        raise Invalid(f"owners: there is no project {lost}.", f"owners：课题组 {lost} 不存在。", field="owners")
    new = Import(
        id=ImportId(new_uuid()), sha256=wanted.log, name=wanted.name, centre=wanted.centre, format=wanted.format,
        person=person, by=wanted.by, owners=wanted.owners, accept_faults=wanted.accept_faults,
        leave_out=wanted.leave_out, state=ImportState.WAITING, created_at=now,
    )  # fmt: skip
    await store.add(session, new)
    return new


async def get_import(session: AsyncSession, id_: ImportId) -> Import:
    found = await store.one(session, id_)
    if found is None:
        raise NotFound("There is no such import.", "该导入不存在。", field="import")
    return found


async def newest_imports(session: AsyncSession) -> list[Import]:
    return await store.newest(session, PAGE)


async def faults_of(session: AsyncSession, id_: ImportId, *, after: int = 0) -> list[Fault]:
    """A page of the lines that could not be read, in the file's order."""
    await get_import(session, id_)
    return await store.faults(session, id_, after=after, limit=PAGE)
