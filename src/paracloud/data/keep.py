"""Give a project the bytes that one of its members uploaded."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.data import store
from paracloud.data.blobs import Blob
from paracloud.identity.caller import Caller
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import BlobId, ProjectId


async def keep(session: AsyncSession, caller: Caller, project: ProjectId, blob: Blob, at: datetime) -> None:
    """NotFound for a foreign project, Forbidden for a viewer. Keeping twice changes nothing."""
    caller.require_member(project)
    await store.add(session, project, blob.id, blob.size_bytes, at)


async def room(session: AsyncSession, caller: Caller, project: ProjectId, limit_bytes: int) -> int:
    """How many bytes the project may still keep. Uploads at one moment may each use it: the next one is refused."""
    caller.require_member(project)
    return limit_bytes - await store.total_bytes(session, project)


async def missing(
    session: AsyncSession, caller: Caller, project: ProjectId, blobs: Iterable[BlobId]
) -> tuple[BlobId, ...]:
    """Which of these the project does not hold yet and must be uploaded, in their order. Only the project's own count:
    whether anybody else has the same bytes is not told."""
    caller.require_member(project)
    wanted = list(dict.fromkeys(blobs))
    held = await store.sizes(session, project, wanted)
    return tuple(blob for blob in wanted if blob not in held)


async def require_held(session: AsyncSession, project: ProjectId, blobs: Iterable[BlobId]) -> dict[BlobId, int]:
    """Sizes in bytes; Invalid where the project does not hold one of them."""
    wanted = list(dict.fromkeys(blobs))
    if not wanted:
        return {}
    held = await store.sizes(session, project, wanted)
    absent = next((blob for blob in wanted if blob not in held), None)
    if absent is not None:
        raise Invalid(
            f"The input {absent[:12]}… was not uploaded to this project; upload it first.",
            f"输入文件 {absent[:12]}… 尚未上传到该课题组，请先上传。",
            field="inputs",
        )
    return held
