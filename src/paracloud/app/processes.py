"""What each of the server's processes does until it is told to stop."""

import asyncio
import signal
from collections.abc import AsyncIterator, Awaitable, Coroutine
from contextlib import asynccontextmanager, suppress
from typing import Any

import structlog
import uvicorn

from paracloud.api.application import build
from paracloud.app.compose import Composed
from paracloud.kit.cycles import look_seldom
from paracloud.kit.errors import Unreachable
from paracloud.kit.settings import Settings
from paracloud.transports.authority import open_authority, serve
from paracloud.worker.chores import CHORES, keep_house, receipt_chore
from paracloud.worker.forecasts import learn
from paracloud.worker.imports import take_in
from paracloud.worker.worker import Worker

log = structlog.get_logger()
CHANNEL = "paracloud_jobs"


async def serve_api(settings: Settings, database_url: str) -> None:
    composed = Composed(settings, database_url)
    try:
        config = uvicorn.Config(
            build(composed.api_deps()),
            host=settings.api_host,
            port=settings.api_port,
            log_config=None,
            access_log=False,
            lifespan="off",
        )
        await uvicorn.Server(config).serve()
    finally:
        await composed.close()


async def work(settings: Settings, database_url: str) -> None:
    look_seldom()
    composed = Composed(settings, database_url)
    worker = composed.worker()
    house = keep_house(composed.database, composed.clock, (*CHORES, receipt_chore(composed.signer)))
    imports = take_in(composed.database, composed.clock, composed.logs.path)
    learning = learn(composed.database, composed.clock)
    try:
        async with _hinted(composed, worker), beside(house), beside(imports), beside(learning):
            await until_told(worker.run())
    finally:
        await composed.close()


async def authority(settings: Settings) -> None:
    await until_told(serve(settings.authority_socket, open_authority(settings.authority_key_file)))


async def until_told(running: Awaitable[None]) -> None:
    """SIGTERM and SIGINT cancel it, and it cleans up."""
    task = asyncio.ensure_future(running)
    loop = asyncio.get_running_loop()
    for one in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(one, task.cancel)
    with suppress(asyncio.CancelledError):
        await task


@asynccontextmanager
async def _hinted(composed: Composed, worker: Worker) -> AsyncIterator[None]:
    """Pass notifications on. They are hints: while the connection is down, the worker looks by itself."""

    async def listen() -> None:
        while True:
            with suppress(Unreachable, OSError):
                async with composed.database.listen(CHANNEL) as notes:
                    while True:
                        worker.hint(await notes.get())
            await asyncio.sleep(1)

    async with beside(listen()):
        yield


@asynccontextmanager
async def beside(running: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """It runs as long as the block does. One that ends by itself, which none should, is told at once: nobody waits for
    it, and its error would be seen by nobody."""
    task = asyncio.create_task(running)
    task.add_done_callback(_told)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


def _told(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        log.error("task.ended", task=repr(task.get_coro()), error=repr(task.exception()))
