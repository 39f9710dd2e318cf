"""The ranks and the processes that used most; the others are summed."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import accumulate

from paramon.facts.job import JobFacts, ProcessFacts
from paramon.facts.ranks import Balance
from paramon.facts.usage import Used
from paramon.show.sheet import Sheet
from paramon.show.waits import LITTLE, as_known
from paramon.text import amount, clean, count, duration, left, right, short, width, word

SHOWN = 15
CELL_MOST, BETWEEN, MORE = 28, "  ", "…"
WAITED = 0.1
"""From such a part of the ranks' time on it is told that they waited for a CPU."""
CLEAR_MS = 1000
"""Where no rank used as much CPU time, clock ticks make their balance."""


def rank_table(facts: JobFacts, sheet: Sheet) -> list[str]:
    """Empty where nothing has a rank."""
    ranks = [one for one in facts.ranks if one.rank >= 0]
    if not ranks:
        return []
    balance = facts.balance
    has_mpi = bool(balance.shares)
    head = [sheet.say("Rank", "MPI 序号"), sheet.say("Node", "节点"), *["MPI"] * has_mpi, *_heads(sheet)]
    shown = sorted(sorted(ranks, key=lambda one: -one.used.cpu_ms)[:SHOWN])
    nodes = short(node.name for node in facts.nodes)
    rows = [
        [
            str(one.rank),
            nodes[one.node],
            *[_part(balance.shares.get(one.rank))] * has_mpi,
            *_cells(one.used, one.peak_kib),
        ]
        for one in shown
    ]
    if len(ranks) > SHOWN:
        others = [one for one in ranks if one not in shown]
        rows.append(
            [
                sheet.say(f"{len(others)} more", f"其余 {len(others)} 个"),
                "",
                *[""] * has_mpi,
                *_cells(_sum(one.used for one in others), 0),
            ]
        )
    return [*_table(head, rows, 2, sheet), *_balance(balance, [one.used for one in ranks], facts.awake_ms, sheet)]


def _balance(found: Balance, used: Sequence[Used], run_ms: int, sheet: Sheet) -> list[str]:
    """By what was useful; where that is not known, by all CPU time, of which ranks that wait may take as much."""
    say, ranks, cpu_ms = sheet.say, len(used), [one.cpu_ms for one in used]
    if found.load is None:
        if max(cpu_ms) < CLEAR_MS:
            return []
        even = f"{sum(cpu_ms) / ranks / max(cpu_ms):.2f}"
        zh = f"{ranks} 个 MPI 进程的 CPU 均衡度（平均 ÷ 最大）：{even}"
        return [say(f"CPU balance of {ranks} {word(ranks, 'rank')} (mean ÷ most): {even}", zh)]
    load, share = f"{found.load:.2f}", _part(found.share)
    parts = [
        say(f"load balance {load} (useful time, mean ÷ most)", f"负载均衡 {load}（有效时间，平均 ÷ 最大）"),
        say(f"{share} of the ranks' time in MPI", f"MPI 占各进程时间的 {share}"),
    ]
    if found.parallel is not None and found.communication is not None:
        parts.append(_efficiency(found.parallel, found.communication, _sum(used), ranks * run_ms, sheet))
    return sheet.line("MPI", *parts)


def _efficiency(parallel: float, communication: float, used: Used, ranks_ms: int, sheet: Sheet) -> str:
    """`ranks_ms`: how long they ran, together. What they waited for a CPU looks like communication from outside."""
    waited = used.run_wait_ms / ranks_ms if ranks_ms and used.waits_known >= LITTLE else 0.0
    en, zh, why_en, why_zh = "communication", "通信效率", "", ""
    if waited >= WAITED:
        part = as_known(used, _part(waited))
        en, zh = "communication and waiting for a CPU", "通信与等 CPU"
        why_en, why_zh = f": ranks waited for one {part} of the time", f"：各进程 {part} 的时间在等 CPU"
    return sheet.say(
        f"parallel efficiency {parallel:.2f} = load balance × {en} {communication:.2f}{why_en}",
        f"并行效率 {parallel:.2f} = 负载均衡 × {zh} {communication:.2f}{why_zh}",
    )


def process_table(facts: JobFacts, sheet: Sheet) -> list[str]:
    """By what they used, and those that took most memory."""
    known = facts.processes
    shown = sorted(known, key=lambda one: (-one.used.cpu_ms, -one.used.peak_rss_kib))[: SHOWN - 3]
    shown += [one for one in sorted(known, key=lambda one: -one.used.peak_rss_kib)[:3] if one not in shown]
    shown.sort(key=lambda one: (-one.used.cpu_ms, -one.used.peak_rss_kib))
    nodes = short(node.name for node in facts.nodes)
    has_node = len(nodes) > 1
    head = [sheet.say("Process", "进程"), *[sheet.say("Node", "节点")] * has_node, sheet.say("Ran", "运行")]
    rows = [
        [
            _name(one),
            *[nodes[one.node]] * has_node,
            duration(one.last_ms - one.first_ms),
            *_cells(one.used, one.used.peak_rss_kib),
        ]
        for one in shown
    ]
    ids = {id(one) for one in shown}
    others = [one.used for one in known if id(one) not in ids]
    others += [node.folded_used for node in facts.nodes]
    left_out = len(known) - len(shown) + sum(node.folded for node in facts.nodes)
    if left_out:
        more = sheet.say(f"{left_out} more", f"其余 {left_out} 个")
        rows.append([more, *[""] * has_node, "", *_cells(_sum(others), 0)])
    return _table([*head, *_heads(sheet)], rows, 1 + has_node, sheet)


def _name(one: ProcessFacts) -> str:
    rank = f" r{one.rank}" if one.rank >= 0 else ""
    return f"{one.pid}{rank} {clean(one.name)}"


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
        as_known(used, count(used.voluntary_switches + used.forced_switches)),
        as_known(used, duration(used.run_wait_ms)),
        duration(used.blocked_ms),
    ]


def _part(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.0f} %"


def _sum(parts: Iterable[Used]) -> Used:
    whole = Used()
    for part in parts:
        whole = whole.plus(part)
    return whole


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], names: int, sheet: Sheet) -> list[str]:
    """`names`: so many columns stand at the left. What does not fit is left out: half a number is another."""
    widths = [min(CELL_MOST, max(map(width, column))) for column in zip(head, *rows)]
    ends = list(accumulate(size + len(BETWEEN) for size in widths))
    more = ""
    if ends[-1] > sheet.columns + len(BETWEEN):
        more = BETWEEN + MORE
        del widths[sum(end + len(MORE) <= sheet.columns for end in ends) :]
    cells = (
        [(left if at < names else right)(cell, size) for at, (cell, size) in enumerate(zip(row, widths))]
        for row in (head, *rows)
    )
    first, *others = map(BETWEEN.join, cells)
    return [first + more, *others]
