"""What runs beside a process's own work is not missed when it ends."""

import asyncio

from structlog.testing import capture_logs

from paracloud.app.processes import beside


async def test_a_task_that_ends_by_a_defect_is_told_at_once():
    async def house():
        raise RuntimeError("out of range")

    with capture_logs() as told:
        async with beside(house()):
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            assert [one["event"] for one in told] == ["task.ended"]
    assert "out of range" in told[0]["error"]


async def test_a_task_that_its_block_ends_is_told_of_nowhere():
    with capture_logs() as told:
        async with beside(asyncio.sleep(60)):
            await asyncio.sleep(0)
    assert told == []
