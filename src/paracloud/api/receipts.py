"""Signed receipts of what a project was charged."""

from collections.abc import AsyncIterator
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query
from fastapi.responses import StreamingResponse

from paracloud.api.deps import Deps, TheDeps, Token, asked
from paracloud.billing.issue_receipts import BATCH, issue_receipts, receipt_keys, receipts_page
from paracloud.billing.receipt import FIRST, end_line, header_line, receipt_line
from paracloud.kit.identifiers import ProjectId
from paracloud.wire.receipts import IssuedModel, ReceiptKeyList, ReceiptKeyModel

router = APIRouter(tags=["receipts"])
MEDIA_TYPE = "application/x-ndjson"
ROUNDS = 10


@router.post("/projects/{project}/receipts:issue")
async def issue(project: UUID, deps: TheDeps, token: Token) -> IssuedModel:
    """Receipts for what was charged since the last one: up to ten thousand; from then on new charges get theirs by
    themselves."""
    issued = 0
    for _ in range(ROUNDS):
        async with asked(deps, token) as at:
            at.caller.require_member(ProjectId(project))
            more = await issue_receipts(at.session, deps.signer, ProjectId(project), now=deps.clock.now())
        issued += more
        if more < BATCH:
            return IssuedModel(issued=issued, is_all=True)
    return IssuedModel(issued=issued, is_all=False)


@router.get(
    "/projects/{project}/receipts",
    response_class=StreamingResponse,
    responses={200: {"content": {MEDIA_TYPE: {"schema": {"type": "string"}}}}},
)
async def receipts(
    project: UUID, deps: TheDeps, token: Token, start: Annotated[int, Query(alias="from", ge=1, le=2**62)] = 1
) -> StreamingResponse:
    """The chain from this number on, in lines of JSON that `paracloud receipt verify` checks without a server."""
    async with asked(deps, token) as at:
        at.caller.require_reader(ProjectId(project))
        keys = await receipt_keys(at.session, deps.signer)
    return StreamingResponse(_file(deps, ProjectId(project), keys, start), media_type=MEDIA_TYPE)


@router.get("/receipt-keys")
async def keys(deps: TheDeps, token: Token) -> ReceiptKeyList:
    """Every public key that ever signed a receipt: keep them apart from the receipts."""
    async with asked(deps, token) as at:
        at.caller.reads()
        found = await receipt_keys(at.session, deps.signer)
    items = [ReceiptKeyModel(id=key, public=public, signs_now=key == deps.signer.key) for key, public in found.items()]
    return ReceiptKeyList(items=items)


async def _file(deps: Deps, project: ProjectId, known: dict[str, str], start: int) -> AsyncIterator[str]:
    header = header_line(str(project), known)
    yield header
    number, last = start, FIRST
    while True:
        async with deps.database.begin() as session:
            page = await receipts_page(session, project, number)
        if page:
            yield "".join(map(receipt_line, page))
            number, last = number + len(page), page[-1].hash
        if len(page) < BATCH:
            break
    yield end_line(deps.signer, header, number - start, last)
