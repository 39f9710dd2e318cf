"""Old accounting logs: handed in by the operator, carried out by a worker."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Path, Query, Request

from paracloud.api.deps import TheDeps, Token, asked
from paracloud.api.operator import operator
from paracloud.history.imported import By, Import
from paracloud.history.request import PAGE, Wanted, faults_of, get_import, newest_imports, request_import
from paracloud.kit.identifiers import BlobId, CentreName, ImportId, ProjectId
from paracloud.metering.report import Sums
from paracloud.wire.history import (
    FaultList,
    FaultModel,
    ImportList,
    ImportModel,
    ImportRequest,
    LogModel,
    UnmappedModel,
)

router = APIRouter(prefix="/operator", tags=["operator"])
Sha = Annotated[str, Path(pattern=r"^[0-9a-f]{64}$")]
_SAME = (
    "id", "name", "centre", "format", "lines", "records", "done", "new", "corrected", "known", "unrated", "faults",
    "reason_en", "reason_zh", "created_at", "ended_at",
)  # fmt: skip


@router.put("/logs/{sha256}", status_code=201)
async def log(sha256: Sha, request: Request, deps: TheDeps, token: Token) -> LogModel:
    """Send a log's bytes; its SHA-256 is its name. Sending it again changes nothing."""
    async with asked(deps, token) as at:
        operator(at, deps)
    kept = await deps.logs.put(request.stream(), expected=BlobId(sha256))
    return LogModel(sha256=kept.id, size_bytes=kept.size_bytes)


@router.post("/imports", status_code=201)
async def new_import(body: ImportRequest, deps: TheDeps, token: Token) -> ImportModel:
    """The file is checked whole before anything of it is stored."""
    wanted = Wanted(
        log=BlobId(body.sha256),
        name=body.name,
        centre=CentreName(body.centre),
        format=body.format,
        by=By(body.by),
        owners={name: ProjectId(project) for name, project in body.owners.items()},
        accept_faults=body.accept_faults,
        leave_out=body.leave_out,
    )
    async with asked(deps, token) as at:
        now = operator(at, deps)
        deps.logs.path(wanted.log)
        made = await request_import(at.session, wanted, person=at.caller.login, now=now)
    return _shown(made)


@router.get("/imports")
async def list_imports(deps: TheDeps, token: Token) -> ImportList:
    """The newest thousand."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await newest_imports(at.session)
    return ImportList(items=[_shown(one) for one in found])


@router.get("/imports/{import_id}")
async def show_import(import_id: UUID, deps: TheDeps, token: Token) -> ImportModel:
    async with asked(deps, token) as at:
        operator(at, deps)
        return _shown(await get_import(at.session, ImportId(import_id)))


@router.get("/imports/{import_id}/faults")
async def list_faults(
    import_id: UUID, deps: TheDeps, token: Token, after: Annotated[int, Query(ge=0, le=2**62)] = 0
) -> FaultList:
    """Lines that could not be read, in the file's order."""
    async with asked(deps, token) as at:
        operator(at, deps)
        found = await faults_of(at.session, ImportId(import_id), after=after)
    items = [FaultModel(line=one.line, en=one.en, zh=one.zh, text=one.text) for one in found]
    return FaultList(items=items, next=items[-1].line if len(items) == PAGE else None)


def _shown(one: Import) -> ImportModel:
    same = {name: getattr(one, name) for name in _SAME}
    return ImportModel(
        **same,
        state=one.state.value,
        is_final=one.state.is_final,
        left_out=dict(one.left_out),
        unmapped={
            name: UnmappedModel(
                records=left.records, core_hours=Sums(core_seconds=left.core_seconds).hours()["core_hours"]
            )
            for name, left in one.unmapped.items()
        },
    )
