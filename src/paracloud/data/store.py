"""Every query of this room."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.data.tables import BlobRow, ProjectBlobRow
from paracloud.kit.identifiers import BlobId, ProjectId


async def add(session: AsyncSession, project: ProjectId, blob: BlobId, size_bytes: int, at: datetime) -> None:
    """Adding again changes nothing."""
    row = insert(BlobRow).values(id=blob, size_bytes=size_bytes, created_at=at)
    await session.execute(row.on_conflict_do_nothing())
    held = insert(ProjectBlobRow).values(project_id=project, blob_id=blob, created_at=at)
    await session.execute(held.on_conflict_do_nothing())


async def total_bytes(session: AsyncSession, project: ProjectId) -> int:
    query = (
        select(func.coalesce(func.sum(BlobRow.size_bytes), 0))
        .join(ProjectBlobRow, ProjectBlobRow.blob_id == BlobRow.id)
        .where(ProjectBlobRow.project_id == project)
    )
    return int((await session.execute(query)).scalar_one())


async def sizes(session: AsyncSession, project: ProjectId, blobs: Iterable[BlobId]) -> dict[BlobId, int]:
    """Of these, the ones that the project holds, with their sizes in bytes."""
    query = (
        select(BlobRow.id, BlobRow.size_bytes)
        .join(ProjectBlobRow, ProjectBlobRow.blob_id == BlobRow.id)
        .where(ProjectBlobRow.project_id == project, BlobRow.id.in_(list(blobs)))
    )
    return {BlobId(blob): size for blob, size in (await session.execute(query)).all()}
