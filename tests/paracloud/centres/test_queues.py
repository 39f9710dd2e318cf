"""What a centre says of its queues is read back as it was kept."""

from dataclasses import fields

import pytest
from tests.paracloud.jobs.world import EAST, START, open_world, queue

from paracloud.centres.store import keep_queues, seen_queues
from paracloud.dialects.records import QueueInfo

BARE = queue()
FULL = queue(
    gpus_per_node=2, gpu_model="a100", free_gpus=1, max_nodes=3, threads_per_core=2, gives_whole_nodes=True,
    gives_each_task_cores=True,
    max_memory_per_core_bytes=5 << 40, default_memory_per_core_bytes=1 << 30, default_memory_per_node_bytes=3 << 40,
)  # fmt: skip


@pytest.mark.parametrize("told", [BARE, FULL])
async def test_a_queue_is_what_the_centre_told_of_it(database, told):
    await open_world(database)
    async with database.begin() as session:
        await keep_queues(session, EAST, (told,), START)
        kept = [one.info for one in await seen_queues(session) if one.centre == EAST]
    assert kept == [told]


def test_every_limit_is_among_what_is_told():
    assert [one.name for one in fields(QueueInfo) if getattr(FULL, one.name) is None] == []
