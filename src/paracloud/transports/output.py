"""Talk to a running command: feed it and read both its outputs at the same time, never more than was agreed."""

import asyncio
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

BLOCK_BYTES = 64 * 1024


class Reader(Protocol):
    async def read(self, n: int = -1, /) -> bytes: ...


class Writer(Protocol):
    def write(self, data: bytes, /) -> None: ...
    async def drain(self) -> None: ...
    def write_eof(self) -> None: ...


@dataclass(slots=True)
class Output:
    """What both outputs together may fill. `truncated`: there was more, and the command should be stopped."""

    left_bytes: int
    stdout: bytearray = field(default_factory=bytearray)
    stderr: bytearray = field(default_factory=bytearray)
    truncated: bool = False

    async def take(self, reader: Reader, into: bytearray) -> None:
        while not self.truncated and (block := await reader.read(BLOCK_BYTES)):
            into += block[: self.left_bytes]
            self.truncated = len(block) > self.left_bytes
            self.left_bytes -= min(len(block), self.left_bytes)


async def converse(
    writer: Writer, stdin: bytes, *, stdout: Reader, stderr: Reader, ended: Awaitable[object], limit_bytes: int
) -> Output:
    """Until both outputs end and the command has (`ended`), or the limit is passed; then the rest is left unread."""
    output = Output(limit_bytes)
    feed = asyncio.ensure_future(_feed(writer, stdin))
    end = asyncio.ensure_future(ended)
    reading = {
        asyncio.ensure_future(output.take(stdout, output.stdout)),
        asyncio.ensure_future(output.take(stderr, output.stderr)),
    }
    tasks = [feed, end, *reading]
    try:
        while reading and not output.truncated:
            done, reading = await asyncio.wait(reading, return_when=asyncio.FIRST_COMPLETED)
            for one in done:
                one.result()
        if not output.truncated:
            await end
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return output


async def _feed(writer: Writer, stdin: bytes) -> None:
    """A command that does not want all of its input says so by its exit status, not by this."""
    with suppress(OSError):
        if stdin:
            writer.write(stdin)
            await writer.drain()
        writer.write_eof()
