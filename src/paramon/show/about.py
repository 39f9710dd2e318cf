"""Of the profile itself: how far it can be believed, what it took, and what could not be had."""

from __future__ import annotations

from typing import Any

from paramon.facts.job import JobFacts
from paramon.facts.node import NodeFacts
from paramon.show.harm import damage_words
from paramon.show.lacks import lacks
from paramon.show.sheet import Sheet
from paramon.text import clean, count, word

SHOWN, WHOLE = 8, 0.9
"""So many profiles are told of; of the others those with which something is amiss, or which saw less of the time."""
CLEAR_MS = 1000
"""Of less CPU time than that a part is what clock ticks make of it."""
TOLD_MOST = 2.0
"""More than so many times its total says of the total that it is no such, and nothing else."""
STEADY_MS = 10_000
"""In less time than that the collector's start is most of what it costs."""


def about(facts: JobFacts, sheet: Sheet) -> list[str]:
    lines = [sheet.say("About this profile", "关于本次采集")]
    parts = {id(node): (some.completeness(node), some.cpu_ms) for some in facts.together for node in some.nodes}
    passed_over = 0
    for at, node in enumerate(facts.nodes):
        end, (part, cpu_ms) = node.profile.end or {}, parts[id(node)]
        harm = _harm(node, end, sheet)
        if at >= SHOWN and not harm and (part is None or part >= WHOLE):
            passed_over += 1
            continue
        known = _completeness(part, cpu_ms, sheet, has_ended=not node.is_running)
        lines += sheet.line("", node.name, *_faith(node, end, sheet), known, *harm)
    if passed_over:
        en = f"{passed_over} more {word(passed_over, 'profile')} with nothing amiss: --json has all"
        lines += sheet.line("", sheet.say(en, f"另有 {passed_over} 个采集文件未见异常：见 --json"))
    return lines + lacks(facts, sheet)


def _faith(node: NodeFacts, end: dict[str, Any], sheet: Sheet) -> list[str]:
    say = sheet.say
    cpu_us, missed, slowed = (node.own(name, end) for name in ("cpu_us", "missed_ticks", "slowed_ticks"))
    seconds, part = f"{cpu_us / 1e6:.2f} s", ("", "")
    if node.wall_ms >= STEADY_MS:
        of_core = f"{cpu_us / node.wall_ms / 10:.2f} %"
        part = f" ({of_core} of a core)", f"（{of_core} 核）"
    looks = count(node.ticks)
    return [
        say(f"it looked {looks} {word(node.ticks, 'time')}", f"采样 {looks} 次"),
        say(f"it took {seconds} of CPU{part[0]}", f"采集耗用 CPU {seconds}{part[1]}"),
        say(f"{missed} {word(missed, 'look')} missed", f"漏采 {missed} 次"),
        say(f"{slowed} left out to stay cheap", f"为省开销少采 {slowed} 次"),
    ]


def _completeness(part: float | None, cpu_ms: int, sheet: Sheet, *, has_ended: bool) -> str:
    say = sheet.say
    if has_ended and cpu_ms < CLEAR_MS:
        return say("it used too little CPU time to say how much of that was seen", "CPU 时间太少，无法判断完整度")
    if part is None and has_ended:
        return say("how much of all CPU time it saw, is not known", "完整度未知")
    if part is None:
        return say("how much of all CPU time it saw, is known at the end", "完整度在结束时才能得出")
    if part > TOLD_MOST:
        return say(
            "the job's total has only a small part of what the processes used that it saw: they outlived its command, "
            "or are outside its control group",
            "作业总计只含已知进程 CPU 时间的一小部分：其余进程晚于命令结束，或不在其控制组内",
        )
    told = f"{100 * part:.1f} %"
    if part > 1:
        return say(
            f"the processes that it saw used {told} of the job's total: some are not in that",
            f"已知进程的 CPU 时间为作业总计的 {told}：部分进程不在总计之内",
        )
    return say(f"the processes that it saw used {told} of the job's CPU time", f"采到的进程占作业 CPU 时间的 {told}")


def _harm(node: NodeFacts, end: dict[str, Any], sheet: Sheet) -> list[str]:
    say, found = sheet.say, [told for told in [damage_words([node.profile], sheet.say)] if told]
    if end.get("given_up_frames"):
        pieces = end["given_up_frames"]
        were = word(pieces, "piece was", "pieces were")
        found.append(say(f"{pieces} {were} never written, for want of a disk", f"因磁盘问题有 {pieces} 块未写入"))
    if end.get("denied_processes"):
        denied = end["denied_processes"]
        of_them = word(denied, "process", "processes")
        found.append(say(f"{denied} {of_them} must not be looked at", f"{denied} 个进程无权查看"))
    failed = ", ".join(f"{clean(str(name))} {times}" for name, times in dict(end.get("failed_reads") or {}).items())
    if failed:
        found.append(say(f"readings that failed: {failed}", f"读取失败：{failed}"))
    return found
