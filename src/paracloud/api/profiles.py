"""What the collector saw of a job, while it runs and after."""

from base64 import b64encode
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Response

from paracloud.api.deps import Bearer, Deps, TheDeps, Token
from paracloud.api.files import reach_job
from paracloud.jobs.profile import News, profile_folder, read_profile
from paracloud.jobs.profile_cursor import CURSOR, CURSOR_LIMIT, PARTS_MOST, Part
from paracloud.jobs.profile_files import FileNews, Piece, read_profile_files
from paracloud.jobs.profile_parts import NodeNews
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import submit_tag
from paracloud.transports.transport import Transport
from paracloud.wire.profiles import (
    NodeProfileModel,
    PieceModel,
    ProfileFileModel,
    ProfileFilesModel,
    ProfileModel,
    SampledMinute,
    SampledProcess,
)
from paramon.sample.fields import NAMES

NAME_LIMIT = 255
"""Characters of a file's name."""
router = APIRouter(tags=["jobs"])
Since = Annotated[str, Query(max_length=CURSOR_LIMIT, pattern=CURSOR)]
FileName = Annotated[str, Query(max_length=NAME_LIMIT)]
Task = Annotated[int | None, Query(ge=0, le=1 << 31)]
Number = Annotated[int, Query(ge=0, lt=PARTS_MOST)]
Parts = Annotated[int, Query(ge=1, le=PARTS_MOST)]


@router.get("/jobs/{job}/profile", response_model=ProfileModel)
async def profile(
    job: UUID, deps: TheDeps, token: Token, since: Since = "", task: Task = None, part: Number = 0, parts: Parts = 1
) -> Response:
    """What is new since the look whose `cursor` is `since`: samples of each process, about a second apart, and series
    of the node. Of an array, one task's. A job of very many nodes is told of in `parts`, each with a cursor of its own:
    0, 1 and so on."""
    if part >= parts:
        raise Invalid(
            f"part: say 0 to {parts - 1}, or more parts.", f"part：应为 0 到 {parts - 1}，或增大 parts。", field="part"
        )
    async with _look(deps, token, job, task) as (transport, folder):
        answer = await read_profile(transport, folder, since, _written, Part(part, parts))
    return Response(answer, media_type="application/json")


def _written(news: News) -> str:
    nodes = [_node(one) for one in news.nodes]
    told = ProfileModel(fields=list(NAMES), nodes=nodes, cursor=news.cursor, left_out=news.left_out, parts=news.parts)
    return told.model_dump_json()


@router.get("/jobs/{job}/profile/files")
async def profile_files(
    job: UUID,
    deps: TheDeps,
    token: Token,
    since: Since = "",
    task: Task = None,
    after: FileName = "",
    until: FileName = "",
) -> ProfileFilesModel:
    """The same as bytes of the files that it is written to, for programs that open them (`paramon show`, `top`,
    `export`): a tenth of the size. What is new since the look whose `cursor` is `since`, and nothing else; of so many
    files that follow the one called `after`, by name, to the one called `until`."""
    async with _look(deps, token, job, task) as (transport, folder):
        news = await read_profile_files(transport, folder, since, after, until)
    return ProfileFilesModel(files=[_file(one) for one in news.files], cursor=news.cursor, left_out=news.left_out)


@asynccontextmanager
async def _look(deps: Deps, token: Bearer, job: UUID, task: int | None) -> AsyncIterator[tuple[Transport, str]]:
    """The way to the job's centre, and the folder of its profile there, when it is its turn."""
    found, transport = await reach_job(deps, token, job)
    if (found.summary.array is None) != (task is None):
        raise Invalid(
            "task: name one where the job is an array, and only there.",
            "task：仅作业数组需要、且必须指定任务编号。",
            field="task",
        )
    async with deps.looks.turn(found.summary.centre, found.summary.account):
        yield transport, profile_folder(submit_tag(found.summary.job, found.summary.moves), task)


def _file(news: FileNews) -> ProfileFileModel:
    return ProfileFileModel(
        file=news.file,
        written=_piece(news.written),
        open_minute=_piece(news.open_minute),
        written_at=news.written_at,
        is_behind=news.is_behind,
    )


def _piece(one: Piece) -> PieceModel:
    return PieceModel(start=one.start, content=b64encode(one.content).decode())


def _node(news: NodeNews) -> NodeProfileModel:
    return NodeProfileModel(
        file=news.file,
        header=None if news.header is None else dict(news.header),
        processes=[
            SampledProcess(
                number=one.number, pid=one.pid, parent=one.parent, name=one.name, command=one.command, rank=one.rank
            )
            for one in news.processes
        ],
        minutes=[
            SampledMinute(
                at_ms=list(one.at_ms),
                rows={str(number): [(at, list(row)) for at, row in rows] for number, rows in one.rows.items()},
                points={name: list(points) for name, points in one.points.items()},
            )
            for one in news.minutes
        ],
        end=None if news.end is None else dict(news.end),
        lost_bytes=news.lost_bytes,
        is_behind=news.is_behind,
    )
