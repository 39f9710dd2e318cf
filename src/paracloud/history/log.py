"""What an accounting log tells, by the chunk."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice

from paracloud.dialects.history import HistoryRecord, LeftOut, Told, Unreadable
from paracloud.kit.text_file import Lines
from paracloud.metering.log import judged

CHUNK = 5000
"""Lines that are read, and records that are stored, at a time."""


@dataclass(slots=True)
class Chunk:
    """What some lines told. `lines`: up to which the file is read."""

    lines: int = 0
    records: list[HistoryRecord] = field(default_factory=list)
    left_out: dict[str, int] = field(default_factory=dict)
    faults: list[Unreadable] = field(default_factory=list)

    def take(self, one: Told) -> None:
        if isinstance(one, HistoryRecord):
            self.records.append(one)
        elif isinstance(one, LeftOut):
            self.left_out[one.why] = self.left_out.get(one.why, 0) + 1
        else:
            self.faults.append(one)


def chunks(lines: Lines, format_: str, handed_in: datetime, size: int = CHUNK) -> Iterator[Chunk]:
    """Invalid where the file is cut or broken: with the line."""
    told = judged(lines, format_, handed_in)
    while True:
        chunk = Chunk()
        for one in islice(told, size):
            chunk.lines = lines.number
            chunk.take(one)
        if not chunk.lines:
            return
        yield chunk
