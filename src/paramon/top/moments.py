"""A moment of a profile, as its users write it."""

from __future__ import annotations

import re
from datetime import datetime

from paramon.errors import Refused

SINCE = re.compile(r"(?:(?:(\d+):)?(\d+):)?(\d+(?:\.\d+)?)")


def moment_in(text: str, start_ms: int) -> int:
    """Milliseconds of the clock: `90`, `1:30`, `2:01:30` since the start; or `2026-11-27T10:00:05`, with or without
    its zone. Refused for anything else."""
    since = SINCE.fullmatch(text)
    try:
        if since is not None:
            hours, minutes, seconds = (float(part or 0) for part in since.groups())
            return start_ms + int((hours * 3600 + minutes * 60 + seconds) * 1000)
        return int(datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp() * 1000)
    except (ValueError, OverflowError, OSError):
        raise Refused(
            f"{text!r} is no moment: say seconds or [hours:]minutes:seconds since the start, or 2026-11-27T10:00:05.",
            f"{text!r} 不是有效时刻：请写从开始算起的秒数或 [时:]分:秒，或 2026-11-27T10:00:05。",
        ) from None
