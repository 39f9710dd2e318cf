"""A queue that something is agreed for must be there: nobody pays for a name that was mistyped."""

from collections.abc import Iterable

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.refused import no_centre
from paracloud.centres.registry import all_centres, seen_queues
from paracloud.dialects.records import QueueInfo
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import CentreName

SHOWN = 20


async def known_queue(session: AsyncSession, centre: CentreName, queue: str, *, is_unseen: bool) -> QueueInfo | None:
    """As the platform saw it last. Where it has never seen any of the centre's, `is_unseen` takes the name as it is:
    None then. Invalid otherwise, also where there is no such centre."""
    if centre not in {one.name for one in await all_centres(session)}:
        raise no_centre(centre)
    seen = {one.info.name: one.info for one in await seen_queues(session) if one.centre == centre}
    if not seen and is_unseen:
        return None
    if not seen:
        raise Invalid(
            f"The platform has not seen the queues of {centre} yet: wait for its first look, or take the name as it is "
            "(--unseen, is_unseen).",
            f"平台尚未获取 {centre} 的分区：请等待首次查询，或按所给名称接受（--unseen、is_unseen）。",
            field="queue",
        )
    if queue not in seen:
        raise _no_queue(centre, seen)
    return seen[queue]


async def require_known(session: AsyncSession, centre: CentreName, queue: str) -> None:
    """Of a price or a contract: Invalid where the centre's queues were seen, and none of this name. Of a centre of
    which no queue was ever seen, as where its history alone is kept, any name is taken."""
    seen = {one.info.name for one in await seen_queues(session) if one.centre == centre}
    if seen and queue not in seen:
        raise _no_queue(
            centre, seen, " For old logs, or a queue to come, take the name as it is (--unseen, is_unseen).",
            "用于旧日志或尚未启用的分区时，可按所给名称接受（--unseen、is_unseen）。",
        )  # fmt: skip


def _no_queue(centre: CentreName, seen: Iterable[str], en: str = "", zh: str = "") -> Invalid:
    names = sorted(seen)[:SHOWN]
    return Invalid(
        f"{centre} has no queue of this name; it has: {', '.join(names)}.{en}",
        f"{centre} 没有该名称的分区；现有：{'、'.join(names)}。{zh}",
        field="queue",
    )
