"""A machine that a transport reaches, words that it must not read, and what is seen of its processes."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from paracloud.kit.identifiers import UnixAccount
from paracloud.transports.transport import Transport

ACCOUNT = UnixAccount("pc01")
HOSTILE = (
    "'",
    '"',
    "a'b\"c`d`$(touch owned)",
    "$HOME ${PATH} ~ * ? [a] {a,b}",
    "; touch owned; #",
    "| tee owned",
    "&& touch owned &",
    "line\nbreak\r\ttab",
    "-rf",
    "--help",
    "\\",
    "\\n%s%n",
    "\x1b[31mred\x07",
    "!!",
    "作业 名",
    "\udcff\udc80",
    "",
    " ",
)


@dataclass(frozen=True)
class Machine:
    """A transport, and the home directory that it reaches, where there is one."""

    transport: Transport
    home: Path | None


async def drained(progress: AsyncIterator[int]) -> list[int]:
    return [done async for done in progress]


async def there(transport: Transport, pid_file: str) -> None:
    async with asyncio.timeout(20):
        while not await _says(transport, ("test", "-s", pid_file)):
            await asyncio.sleep(0.05)


async def gone(transport: Transport, pid_file: str) -> None:
    """The process that wrote its id there ends."""
    pid = (await transport.read(pid_file, limit_bytes=20)).decode().strip()
    async with asyncio.timeout(20):
        while await _says(transport, ("test", "-d", f"/proc/{pid}")):
            await asyncio.sleep(0.05)
    await transport.remove(pid_file)


async def _says(transport: Transport, argv: tuple[str, ...]) -> bool:
    return (await transport.run(argv)).exit_status == 0
