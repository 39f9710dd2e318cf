"""An accounting log as it is judged, whether it is only summed or stored too."""

import re
from collections.abc import Iterator

from paracloud.dialects.histories import READERS
from paracloud.dialects.history import HistoryRecord, LeftOut, Told, Unreadable
from paracloud.kit.errors import Broken
from paracloud.kit.text_file import Lines
from paracloud.metering.usage import require_possible

OURS = re.compile(r"pc-[0-9a-f]{32}")
"""Jobs of the platform itself: it collects their usage, and knows whose it is."""


def judged(lines: Lines, format_: str) -> Iterator[Told]:
    """What the lines tell: figures that no machine can have are not understood, the platform's own jobs are left out as
    "ours". Invalid where the file is cut or broken."""
    for one in READERS[format_](lines):
        if not isinstance(one, HistoryRecord):
            yield one
        elif OURS.fullmatch(one.name):
            yield LeftOut(lines.number, "ours")
        else:
            yield _impossible(one, lines.number) or one


def _impossible(record: HistoryRecord, line: int) -> Unreadable | None:
    try:
        require_possible(record)
    except Broken:
        return Unreadable(line, "its figures are impossible", "数值不可能成立", record.raw[:120])
    return None
