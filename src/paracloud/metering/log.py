"""An accounting log as it is judged, whether it is only summed or stored too."""

from collections.abc import Iterator
from datetime import datetime

from paracloud.dialects.histories import READERS
from paracloud.dialects.history import HistoryRecord, LeftOut, Told, Unreadable
from paracloud.kit.errors import Broken
from paracloud.kit.text_file import Lines
from paracloud.metering.usage import AHEAD, is_named_as_ours, require_possible


def judged(lines: Lines, format_: str, handed_in: datetime) -> Iterator[Told]:
    """What the lines tell: figures that no machine can have, and ends after the log was handed in, are not understood,
    the platform's own jobs are left out as "ours". Invalid where the file is cut or broken."""
    latest = handed_in + AHEAD
    for one in READERS[format_](lines):
        if not isinstance(one, HistoryRecord):
            yield one
        elif is_named_as_ours(one.name):  # the platform collects their usage, and knows whose it is
            yield LeftOut(lines.number, "ours")
        else:
            yield _impossible(one, lines.number, latest) or one


def _impossible(record: HistoryRecord, line: int, latest: datetime) -> Unreadable | None:
    if record.ended_at > latest:
        end = f"{record.ended_at:%Y-%m-%dT%H:%M:%SZ}"
        en, zh = f"its end {end} is after the log was handed in", f"其结束时间 {end} 晚于日志提交时间"
        return Unreadable(line, en, zh, record.raw[:120])
    try:
        require_possible(record)
    except Broken:
        return Unreadable(line, "its figures are impossible", "数值不可能成立", record.raw[:120])
    return None
