"""The ranks and the processes that used most; the others are summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from paramon.facts.job import JobFacts, ProcessFacts
from paramon.facts.usage import Used
from paramon.show.sheet import Sheet
from paramon.text import amount, clean, count, cut, duration, left, right, width

SHOWN = 15


def rank_table(facts: JobFacts, sheet: Sheet) -> list[str]:
    """Empty where nothing has a rank."""
    ranks = [one for one in facts.ranks if one.rank >= 0]
    if not ranks:
        return []
    head = [sheet.say("Rank", "MPI 序号"), sheet.say("Node", "节点"), *_heads(sheet)]
    shown = sorted(sorted(ranks, key=lambda one: -one.used.cpu_ms)[:SHOWN])
    rows = [[str(one.rank), one.node, *_cells(one.used, one.peak_kib)] for one in shown]
    if len(ranks) > SHOWN:
        others = [one for one in ranks if one not in shown]
        rows.append(
            [
                sheet.say(f"{len(others)} more", f"其余 {len(others)} 个"),
                "",
                *_cells(_sum(one.used for one in others), 0),
            ]
        )
    most, mean = max(one.used.cpu_ms for one in ranks), sum(one.used.cpu_ms for one in ranks) / len(ranks)
    balance = sheet.say(
        f"CPU balance of {len(ranks)} ranks (mean ÷ most): {mean / most if most else 1:.2f}",
        f"{len(ranks)} 个 MPI 进程的 CPU 均衡度（平均 ÷ 最大）：{mean / most if most else 1:.2f}",
    )
    return [*_table(head, rows, 2, sheet), balance]


def process_table(facts: JobFacts, sheet: Sheet) -> list[str]:
    """By what they used, and those that took most memory."""
    known = facts.processes
    shown = sorted(known, key=lambda one: (-one.used.cpu_ms, -one.used.peak_rss_kib))[: SHOWN - 3]
    shown += [one for one in sorted(known, key=lambda one: -one.used.peak_rss_kib)[:3] if one not in shown]
    shown.sort(key=lambda one: (-one.used.cpu_ms, -one.used.peak_rss_kib))
    head = [sheet.say("Process", "进程"), sheet.say("Ran", "运行"), *_heads(sheet)]
    has_node = len(facts.nodes) > 1
    rows = [
        [_name(one, has_node=has_node), duration(one.last_ms - one.first_ms), *_cells(one.used, one.used.peak_rss_kib)]
        for one in shown
    ]
    ids = {id(one) for one in shown}
    others = [one.used for one in known if id(one) not in ids]
    others += [node.folded_used for node in facts.nodes]
    left_out = len(known) - len(shown) + sum(node.folded for node in facts.nodes)
    if left_out:
        rows.append([sheet.say(f"{left_out} more", f"其余 {left_out} 个"), "", *_cells(_sum(others), 0)])
    return _table(head, rows, 1, sheet)


def _name(one: ProcessFacts, *, has_node: bool) -> str:
    where = f"{one.node}:" if has_node else ""
    rank = f" r{one.rank}" if one.rank >= 0 else ""
    return f"{where}{one.pid}{rank} {clean(one.name)}"


def _heads(sheet: Sheet) -> list[str]:
    en = ("CPU", "Peak", "Threads", "Read", "Written", "Calls", "Switches", "CPU wait", "D")
    zh = ("CPU", "峰值", "线程", "读", "写", "调用", "切换", "等 CPU", "D 状态")
    return list(zh if sheet.is_chinese else en)


def _cells(used: Used, peak_kib: int) -> list[str]:
    """`peak_kib`: 0 for what cannot be added up."""
    return [
        duration(used.cpu_ms),
        amount(peak_kib * 1024) if peak_kib else "–",
        str(used.threads) if peak_kib else "–",
        amount(used.read_chars),
        amount(used.write_chars),
        count(used.read_calls + used.write_calls),
        count(used.voluntary_switches + used.forced_switches),
        duration(used.run_wait_ms),
        duration(used.blocked_ms),
    ]


def _sum(parts: Iterable[Used]) -> Used:
    whole = Used()
    for part in parts:
        whole = whole.plus(part)
    return whole


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], names: int, sheet: Sheet) -> list[str]:
    """`names`: so many columns stand at the left."""
    widths = [min(28, max(map(width, column))) for column in zip(head, *rows)]
    return [
        cut("  ".join((left if at < names else right)(cell, widths[at]) for at, cell in enumerate(row)), sheet.columns)
        for row in (head, *rows)
    ]
