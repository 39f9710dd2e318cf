"""What the collector saw of a job, while it runs and after."""

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query

from paracloud.api.deps import TheDeps, Token
from paracloud.api.files import reach_job
from paracloud.jobs.profile import NodeNews, profile_folder, read_profile
from paracloud.jobs.profile_cursor import CURSOR_LIMIT
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import submit_tag
from paracloud.wire.profiles import NodeProfileModel, ProfileModel, SampledMinute, SampledProcess
from paramon.sample.fields import NAMES

router = APIRouter(tags=["jobs"])


@router.get("/jobs/{job}/profile")
async def profile(
    job: UUID,
    deps: TheDeps,
    token: Token,
    since: Annotated[str, Query(max_length=CURSOR_LIMIT)] = "",
    task: Annotated[int | None, Query(ge=0, le=1 << 31)] = None,
) -> ProfileModel:
    """What is new since the look whose `cursor` is `since`: samples of each process, about a second apart, and series
    of the node. Of an array, one task's."""
    found, transport = await reach_job(deps, token, job)
    if (found.summary.array is None) != (task is None):
        raise Invalid(
            "task: name one where the job is an array, and only there.",
            "task：仅作业数组需要、且必须指定任务编号。",
            field="task",
        )
    folder = profile_folder(submit_tag(found.summary.job, found.summary.moves), task)
    news = await read_profile(transport, folder, since)
    nodes = [_node(one) for one in news.nodes]
    return ProfileModel(fields=list(NAMES), nodes=nodes, cursor=news.cursor, left_out=news.left_out)


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
