"""The collector of run-time features, laid once into each account's home: one file, known by its checksum."""

import re
from collections.abc import Callable
from datetime import timedelta
from hashlib import sha256

import structlog

from paracloud.dialects.monitor import COLLECTORS
from paracloud.kit.clock import Clock
from paracloud.kit.errors import Broken, NotFound, Refused, Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.transport import FileInfo, Reach, Transport

AGAIN_SECONDS = 3600.0
"""After so long it is looked for again: who cleans up may have deleted it."""
OLD = timedelta(days=60)
"""So long after the next version was laid, no job waits or runs that was submitted with the one before."""
REMOVED_MOST = 20
"""At one time: a job waits for it."""
VERSION = re.compile(r"[0-9a-f]{16}\.pyz")

log = structlog.get_logger()


class Collectors:
    """Remembers where it lies. `packed` makes the file's bytes, when they are wanted for the first time."""

    def __init__(self, reach: Reach, packed: Callable[[], bytes], clock: Clock) -> None:
        self._reach, self._packed, self._clock = reach, packed, clock
        self._content = b""
        self._name = ""
        self._seen_at: dict[tuple[CentreName, UnixAccount], float] = {}

    async def lay(self, centre: CentreName, account: UnixAccount) -> str:
        """The file's name among the collectors of the account; empty where it cannot be laid: then jobs run without."""
        if not self._name:
            self._content = self._packed()
            self._name = f"{sha256(self._content).hexdigest()[:16]}.pyz"
        seen_at = self._seen_at.get((centre, account))
        now = self._clock.monotonic()
        if seen_at is not None and now - seen_at < AGAIN_SECONDS:
            return self._name
        try:
            await self._see_to_it(await self._reach.to(centre, account, purpose="collector"))
        except (Unreachable, Broken, Refused) as trouble:
            log.warning("collector.not_laid", centre=centre, account=account, reason=trouble.en)
            return "" if seen_at is None else self._name  # a job runs without, should it be gone
        self._seen_at[centre, account] = now
        return self._name

    async def _see_to_it(self, transport: Transport) -> None:
        """It lies there, and none that was replaced long ago."""
        try:
            there = await transport.list(COLLECTORS)
        except NotFound:
            there = []
        ours = [one for one in there if one.name == self._name and one.size_bytes == len(self._content)]
        if not ours:
            await transport.write(f"{COLLECTORS}/{self._name}", self._content)
        elif self._clock.now() - ours[0].modified_at >= OLD:
            for one in _replaced(there, ours[0])[:REMOVED_MOST]:
                await transport.remove(f"{COLLECTORS}/{one.name}")


def _replaced(there: list[FileInfo], by: FileInfo) -> list[FileInfo]:
    """Files that are another's have other names."""
    return [
        one
        for one in there
        if VERSION.fullmatch(one.name) and one.modified_at < by.modified_at and not one.is_directory
    ]
