"""What a node's own series say, in a few lines: those that everybody asks for first, the others one by one
where there was anything but zeros."""

from __future__ import annotations

from collections.abc import Mapping

from paramon.facts.node import NodeFacts
from paramon.facts.series import Course, is_counter
from paramon.show.series_words import group_words, line_of, order, series_words
from paramon.show.sheet import Sheet
from paramon.text import amount, clean, word
from paramon.units import rate, value

CPU = ("user", "nice", "system", "idle", "iowait", "irq", "softirq", "steal")
PARTS = {
    "user": ("user", "用户"),
    "system": ("system", "内核"),
    "idle": ("idle", "空闲"),
    "iowait": ("waiting for devices", "等设备"),
    "steal": ("taken by the host", "被宿主机占用"),
}
TOLD = ("cpu", "memory", "paramon", "mpi", "counter")
"""Groups that are told otherwise: here, of the ranks, of the whole job."""
ALSO_ZERO = "sm_permille"
MASK = "throttle_reasons"
"""Of many moments it has no mean."""
SHOWN = 24
"""Series of a group."""


def node_lines(node: NodeFacts, sheet: Sheet) -> list[str]:
    courses, say = node.courses, sheet.say
    lines = [say(f"Node {node.name}, with all that others run there", f"节点 {node.name}（含其上其他任务）")]
    lines += _processors(courses, node, sheet) + _memory(courses, sheet)
    told: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for series in sorted(courses):
        group, card, rest = line_of(*series.partition(".")[::2])
        if group not in TOLD and rest != MASK and _says_something(rest, courses[series]):
            told.setdefault((group, card), []).append((rest, series))
    for (group, card), known in sorted(told.items(), key=_by_number):
        known.sort(key=lambda one: order(group, one[0]))
        parts = [f"{clean(series_words(group, rest, say))} {_told(series, courses[series])}" for rest, series in known]
        lines += sheet.line(f"  {clean(group_words(group, say))}{card}", *parts[:SHOWN])
        if len(parts) > SHOWN:
            more = len(parts) - SHOWN
            lines += sheet.line("", say(f"{more} more: --json has them", f"另有 {more} 个：见 --json"))
    return lines


def _by_number(one: tuple[tuple[str, str], object]) -> tuple[str, list[int]]:
    group, card = one[0]
    return group, [int(number) for number in card.split("/") if card]


def _processors(courses: Mapping[str, Course], node: NodeFacts, sheet: Sheet) -> list[str]:
    ticks = {name: courses[f"cpu.{name}_ticks"].grown for name in CPU if f"cpu.{name}_ticks" in courses}
    whole, say, cores = sum(ticks.values()), sheet.say, node.profile.header.get("cores", node.cores)
    lines = []
    if whole:
        parts = [f"{say(*PARTS[name])} {100 * ticks.get(name, 0) / whole:.0f} %" for name in PARTS]
        lines += sheet.line("  CPU", say(f"{cores} {word(cores, 'core')}", f"{cores} 核"), *parts)
    load = courses.get("cpu.runnable")
    if load is not None:
        mean, most = f"{load.mean:.1f}", load.most
        en, zh = f"{mean} threads run or want to, {most} at most", f"平均 {mean} 个线程运行或待运行，最多 {most} 个"
        lines += sheet.line(say("  load", "  负载"), say(en, zh))
    return lines


def _memory(courses: Mapping[str, Course], sheet: Sheet) -> list[str]:
    total, available = courses.get("memory.total_kib"), courses.get("memory.available_kib")
    if total is None or available is None or not total.last:
        return []
    whole, least = amount(total.last * 1024), amount(available.least * 1024)
    part = f"{100 * (1 - available.least / total.last):.0f} %"
    return sheet.line(
        sheet.say("  memory", "  内存"),
        sheet.say(f"{whole}, {part} taken at the fullest", f"共 {whole}，最满时已用 {part}"),
        sheet.say(f"{least} was left", f"尚余 {least}"),
    )


def _says_something(rest: str, course: Course) -> bool:
    """Zeros alone do not, but of a card that nobody used."""
    return (
        course.fell
        or rest.endswith(ALSO_ZERO)
        or bool(course.grown if is_counter(rest) else course.most or course.least)
    )


def _told(series: str, course: Course) -> str:
    if is_counter(series) and not course.fell:
        told = value(series, course.grown)
        return f"{told} ({rate(series, course.grown / course.seconds)})" if course.seconds else told
    if course.least == course.most:
        return value(series, course.last)
    return f"{value(series, course.mean)} ({value(series, course.least)} … {value(series, course.most)})"
