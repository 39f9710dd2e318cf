"""What the old logs of a centre tell of a time, as far as they were taken in."""

import asyncio
from collections.abc import Callable, Iterator
from datetime import datetime
from itertools import islice
from pathlib import Path

from paracloud.billing.told import Logged
from paracloud.dialects.history import HistoryRecord, accounted
from paracloud.history import store
from paracloud.history.imported import Import
from paracloud.history.log import chunks
from paracloud.kit.database import Database
from paracloud.kit.identifiers import BlobId, CentreName
from paracloud.kit.text_file import open_lines
from paracloud.metering.usage import UsageKey, key_of


async def logged(
    database: Database, where: Callable[[BlobId], Path], centre: CentreName, start: datetime, end: datetime
) -> list[Logged]:
    """Of what ended in [start, end); where several logs tell of one execution, what the last of them says. NotFound
    where a log is not kept any more. Reads the files whole, with no transaction open."""
    async with database.begin() as session:
        imports = await store.taken_in(session, centre, start, end)
    found: dict[UsageKey, Logged] = {}
    for of in imports:
        told = await asyncio.to_thread(_ended_between, where(of.sha256), of, start, end)
        found |= {key_of(centre, one.record): one for one in told}
    return [*found.values()]


def stored(file: Path, of: Import) -> Iterator[HistoryRecord]:
    """The records of the log that the import stored, in the file's order."""
    with open_lines(file, name=of.name) as lines:
        read = chunks(lines, of.format, of.created_at)
        mine = (one for chunk in read for one in chunk.records if of.owner_of(one) is not None)
        yield from islice(mine, of.done)


def _ended_between(file: Path, of: Import, start: datetime, end: datetime) -> list[Logged]:
    return [
        Logged(accounted(one), of.owners[of.name_of(one)]) for one in stored(file, of) if start <= one.ended_at < end
    ]
