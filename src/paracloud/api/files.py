"""Files: uploads before a job, and what stands in its work directory, read where it is."""

from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response

from paracloud.api.deps import Bearer, Deps, TheDeps, Token, asked
from paracloud.data.browse import READ_LIMIT_BYTES, list_files, read_file
from paracloud.data.keep import keep, missing, room
from paracloud.identity.caller import Caller
from paracloud.jobs.outputs import output_of
from paracloud.jobs.request import work_directory
from paracloud.jobs.show import JobDetail, show
from paracloud.kit.errors import Conflict, NotFound
from paracloud.kit.identifiers import BlobId, JobId, ProjectId
from paracloud.transports.transport import Transport
from paracloud.wire.jobs import BlobModel, FileList, FileModel

router = APIRouter(tags=["files"])
Sha = Annotated[str, "64 hexadecimal digits"]
Path = Annotated[str, Query(max_length=4096)]
Start = Annotated[int, Query(ge=0, le=1 << 60)]
Limit = Annotated[int, Query(ge=1, le=READ_LIMIT_BYTES)]


@router.put("/projects/{project}/blobs/{sha256}", status_code=201)
async def upload(project: UUID, sha256: Sha, request: Request, deps: TheDeps, token: Token) -> BlobModel:
    """Send a file's bytes; its SHA-256 is its name. Sending it again changes nothing."""
    blob_id = _sha(sha256)
    async with asked(deps, token) as at:
        left = await room(at.session, at.caller, ProjectId(project), deps.storage_limit_bytes)
        is_there = not await missing(at.session, at.caller, ProjectId(project), [blob_id])
    blob = await deps.blobs.put(request.stream(), expected=blob_id, room_bytes=None if is_there else left)
    async with asked(deps, token) as at:
        await keep(at.session, at.caller, ProjectId(project), blob, deps.clock.now())
    return BlobModel(sha256=blob.id, size_bytes=blob.size_bytes)


@router.head("/projects/{project}/blobs/{sha256}", response_class=Response)
async def has_blob(project: UUID, sha256: Sha, deps: TheDeps, token: Token) -> Response:
    """200 where this project holds the file already, 404 where it must be sent."""
    async with asked(deps, token) as at:
        absent = await missing(at.session, at.caller, ProjectId(project), [_sha(sha256)])
    return Response(status_code=404 if absent else 200)


@router.get("/jobs/{job}/files")
async def files(job: UUID, deps: TheDeps, token: Token, path: Path = "") -> FileList:
    """The work directory, or a directory in it."""
    found, transport = await reach_job(deps, token, job)
    entries = await list_files(transport, work_directory(found.summary.job), path)
    return FileList(
        items=[
            FileModel(
                name=one.name,
                is_exact=one.is_exact,
                size_bytes=one.size_bytes,
                is_directory=one.is_directory,
                modified_at=one.modified_at,
            )
            for one in entries
        ]
    )


@router.get("/jobs/{job}/content", response_class=Response)
async def content(
    job: UUID, deps: TheDeps, token: Token, path: Path, start: Start = 0, limit: Limit = READ_LIMIT_BYTES
) -> Response:
    """Bytes of one file from `start` on, at most `limit`; empty past its end."""
    found, transport = await reach_job(deps, token, job)
    read = await read_file(transport, work_directory(found.summary.job), path, start=start, limit_bytes=limit)
    return _bytes(read)


@router.get("/jobs/{job}/logs", response_class=Response)
async def logs(
    job: UUID,
    deps: TheDeps,
    token: Token,
    stream: Literal["stdout", "stderr"] = "stdout",
    task: Annotated[int | None, Query(ge=0, le=1 << 31)] = None,
    start: Start = 0,
    limit: Limit = READ_LIMIT_BYTES,
) -> Response:
    """What the job printed. Without an own --error, both streams are one file, as in sbatch."""
    found, transport = await reach_job(deps, token, job)
    read = await read_file(
        transport, work_directory(found.summary.job), output_of(found, stream, task), start=start, limit_bytes=limit
    )
    return _bytes(read)


async def reach_job(deps: Deps, token: Bearer, job: UUID) -> tuple[JobDetail, Transport]:
    """The job, and the way to its files as its own Unix account; no transaction is open while the centre is asked."""
    async with asked(deps, token) as at:
        found, caller = await show(at.session, at.caller, JobId(job)), at.caller
    if found.summary.native_id is None:
        raise Conflict("The job has not reached its centre yet.", "作业尚未到达超算中心。")
    return found, await _transport(deps, caller, found)


async def _transport(deps: Deps, caller: Caller, found: JobDetail) -> Transport:
    purpose = f"{caller.login}/{found.summary.job}"
    return await deps.reach.to(found.summary.centre, found.summary.account, purpose=purpose)


def _sha(text: str) -> BlobId:
    if len(text) != 64 or not set(text) <= set("0123456789abcdef"):
        raise NotFound("A blob's name is its SHA-256, 64 hexadecimal digits.", "文件名应为 64 位十六进制的 SHA-256。")
    return BlobId(text)


def _bytes(read: bytes) -> Response:
    headers = {"X-Content-Type-Options": "nosniff", "Content-Disposition": "attachment"}
    return Response(read, media_type="application/octet-stream", headers=headers)
