"""What is amiss with profiles, in words: of a whole run on a page, and on a screen."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Callable, Protocol

from paramon.sample.profile import Told
from paramon.text import count, word

Say = Callable[[str, str], str]


class Read(Protocol):
    """What could not be read of one."""

    lost_bytes: int
    damaged_chunks: int


def damage_words(profiles: Iterable[Read], say: Say) -> str:
    """Empty where there is none."""
    lost, pieces = (sum(parts) for parts in zip((0, 0), *((one.lost_bytes, one.damaged_chunks) for one in profiles)))
    if not lost and not pieces:
        return ""
    size = count(lost)
    return say(
        f"DAMAGED: {size} bytes, {pieces} unreadable {word(pieces, 'piece')}",
        f"已损坏：{size} 字节、{pieces} 块无法读出",
    )


def cut_off_words(profiles: Iterable[Told], say: Say) -> str:
    """Of those of which one has no end and is not being written. Grid Engine ends what a script leaves behind before
    that can say anything."""
    is_with_job = any(one.header.get("attached") for one in profiles)
    en, zh = ("ended with its job, or ", "随作业结束或") if is_with_job else ("", "")
    return say(f"{en}cut off: no end was written", f"{zh}采集中断：没有结束记录")
