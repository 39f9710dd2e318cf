"""Lay a job's input files into its work directory at the centre, as the tenant's own Unix account."""

import asyncio
from collections.abc import Sequence
from typing import Protocol

from paracloud.data.blobs import Blobs
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import BlobId
from paracloud.transports.transport import Transport

SMALL_BYTES = 1 << 20
"""Up to here a file is written in one piece; above, it is copied in a stream."""
AT_ONCE = 8


class Input(Protocol):
    @property
    def path(self) -> str: ...
    @property
    def blob(self) -> BlobId: ...
    @property
    def size_bytes(self) -> int: ...
    @property
    def is_executable(self) -> bool: ...


async def stage_in(transport: Transport, blobs: Blobs, inputs: Sequence[Input], work_directory: str) -> None:
    """Each file is there whole or not at all; repeating it changes nothing. NotFound where a blob is gone; otherwise
    the first error that the transport raised, when the other copies have stopped."""
    gate = asyncio.Semaphore(AT_ONCE)

    async def bring(one: Input) -> None:
        async with gate:
            await _bring(transport, blobs, one, work_directory)

    try:
        async with asyncio.TaskGroup() as group:
            for one in inputs:
                group.create_task(bring(one))
    except ExceptionGroup as errors:
        raise errors.exceptions[0] from errors


async def _bring(transport: Transport, blobs: Blobs, one: Input, work_directory: str) -> None:
    target, local = f"{work_directory}/{one.path}", blobs.path(one.blob)
    mode = 0o700 if one.is_executable else 0o600
    if one.size_bytes <= SMALL_BYTES:
        content = await asyncio.to_thread(local.read_bytes)
        await transport.write(target, content, mode=mode)
        return
    async for _ in transport.push(local, target):
        pass
    if one.is_executable:
        await _make_executable(transport, target)


async def _make_executable(transport: Transport, path: str) -> None:
    argv = ("chmod", "0700", "--", path)
    done = await transport.run(argv)
    if done.exit_status != 0:
        raise Broken(
            f"The centre did not make the input file executable: chmod ended with {done.exit_status}.",
            f"超算中心未能将输入文件设为可执行：chmod 返回 {done.exit_status}。",
            argv=argv,
            exit_status=done.exit_status,
            evidence=done.stderr,
        )
