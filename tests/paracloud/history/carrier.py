"""A process that carries out one import in small batches, to be killed by the test that started it."""

import asyncio
import sys
from pathlib import Path

import paracloud.app.compose  # noqa: F401  # every table, as the server has them
from paracloud.history import log
from paracloud.history.carry_out import carry_out_next
from paracloud.kit.clock import SystemClock
from paracloud.kit.database import Database


async def carry_out(url: str, file: Path) -> None:
    await carry_out_next(Database.connect(url, pool_size=2), SystemClock(), lambda _: file)


if __name__ == "__main__":
    log.chunks.__defaults__ = (20,)
    asyncio.run(carry_out(sys.argv[1], Path(sys.argv[2])))
