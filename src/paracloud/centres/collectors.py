"""The collector of run-time features, laid once into each account's home: one file, known by its checksum."""

from collections.abc import Callable
from hashlib import sha256

import structlog

from paracloud.dialects.monitor import COLLECTORS
from paracloud.kit.errors import Broken, NotFound, Refused, Unreachable
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.transports.transport import Reach, Transport

log = structlog.get_logger()


class Collectors:
    """Remembers where it lies. `packed` makes the file's bytes, when they are wanted for the first time."""

    def __init__(self, reach: Reach, packed: Callable[[], bytes]) -> None:
        self._reach, self._packed = reach, packed
        self._content = b""
        self._name = ""
        self._there: set[tuple[CentreName, UnixAccount]] = set()

    async def lay(self, centre: CentreName, account: UnixAccount) -> str:
        """The file's name among the collectors of the account; empty where it cannot be laid: then jobs run without."""
        if not self._name:
            self._content = self._packed()
            self._name = f"{sha256(self._content).hexdigest()[:16]}.pyz"
        if (centre, account) in self._there:
            return self._name
        try:
            transport = await self._reach.to(centre, account, purpose="collector")
            if not await self._lies_there(transport):
                await transport.write(f"{COLLECTORS}/{self._name}", self._content)
        except (Unreachable, Broken, Refused) as trouble:
            log.warning("collector.not_laid", centre=centre, account=account, reason=trouble.en)
            return ""
        self._there.add((centre, account))
        return self._name

    async def _lies_there(self, transport: Transport) -> bool:
        try:
            found = await transport.list(COLLECTORS)
        except NotFound:
            return False
        return any(one.name == self._name and one.size_bytes == len(self._content) for one in found)
