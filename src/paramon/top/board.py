"""What is on the screen, as words and numbers: how it is drawn is somebody else's."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Callable, NamedTuple

from paramon.facts.moment import ProcessNow
from paramon.facts.ranks import Balance, balance
from paramon.show.harm import cut_off_words, damage_words
from paramon.show.waits import as_known
from paramon.text import amount, clean, count, duration, spark, word
from paramon.top.gauges import Gauge, gpu_gauges, node_gauges
from paramon.top.reel import Reel, Seen
from paramon.top.state import State
from paramon.top.words import Say

SPARK = 12
"""Columns."""
FIXED = 7
"""Lines for what is neither a bar nor a process."""


class Row(NamedTuple):
    """`heat`: the part of a core that it uses."""

    cells: list[str]
    plot: str
    heat: float


class Board(NamedTuple):
    """`numeric`: the columns that stand at the right. `plot_columns`: of the plot before the command; 0 for none."""

    title: str
    status: str
    nodes: list[list[Gauge]]
    gpus: list[list[Gauge]]
    heads: list[str]
    numeric: list[bool]
    rows: list[Row]
    all_rows: int
    summary: str
    plot_columns: int = SPARK


def board(reel: Reel, state: State, lines: int, say: Say) -> Board:
    """That fits so many lines."""
    moment = state.moment_ms
    if moment is None:  # at the very end of one that is over nothing is there any more
        moment = max(reel.end_ms - reel.is_over, reel.start_ms)
    seen = reel.at(moment)
    bars = max(lines - FIXED - 3, 0) // 2
    nodes = [node_gauges(one, say) for one in seen][:bars]
    gpus = [gauges for one in seen for gauges in gpu_gauges(one, say)][: bars - min(len(nodes), bars // 2)]
    nodes = nodes[: bars - len(gpus)]
    most_rows = max(lines - len(nodes) - len(gpus) - FIXED, 1)
    pairs = [(one, node) for node in seen for one in node.now.processes]
    ordered = (
        _tree(pairs, state.sort) if state.is_tree else [(0, *pair) for pair in sorted(pairs, key=_key(state.sort))]
    )
    first = min(state.first_row, max(len(ordered) - most_rows, 0))
    has_node, has_rank = _nodes(seen) > 1, any(one.process.rank >= 0 for one, _ in pairs)
    ranks = _ranks(seen)
    rows = [_row(one, node, depth, ranks.shares, has_node=has_node, has_rank=has_rank)
            for depth, one, node in ordered[first : first + most_rows]]  # fmt: skip
    has_mpi = bool(ranks.shares)
    heads = [say("NODE", "节点")] * has_node + [say("RANK", "序号")] * has_rank + ["MPI"] * has_mpi
    heads += [say("PID", "进程"), say("S", "态"), say("THR", "线程"), "CPU", say("MEM", "内存"), say("READ/s", "读/s"),
              say("WRITE/s", "写/s"), say("WAIT", "等待"), say("TIME", "时间"), say("COMMAND", "命令")]  # fmt: skip
    numeric = [False] * has_node + [True] * (has_rank + has_mpi) + [True, False, *[True] * 7, False]
    return Board(
        _title(reel),
        _status(reel, state, moment, say),
        nodes,
        gpus,
        heads,
        numeric,
        rows,
        len(ordered),
        _summary(seen, pairs, ranks, say),
    )


def _ranks(seen: list[Seen]) -> Balance:
    """Of all nodes, over the last seconds."""
    grown: dict[str, int] = {}
    for one in seen:
        for series, value in one.now.of_ranks.items():
            grown[series] = grown.get(series, 0) + value
    return balance(grown, 0)


def _nodes(seen: list[Seen]) -> int:
    """Several collectors may be on one."""
    return len({one.name for one in seen})


def _memory_kib(seen: list[Seen]) -> int:
    """What is shared counts once at each node, too."""
    common: dict[str, int] = {}
    for one in seen:
        common[one.name] = max(common.get(one.name, 0), one.now.common_kib)
    return sum(one.now.memory_kib - one.now.common_kib for one in seen) + sum(common.values())


def _title(reel: Reel) -> str:
    header = reel.tapes[0].header if reel.tapes else {}
    job = f"[{header['job']}] " if header.get("job") else ""
    return clean(job + " ".join(map(str, header.get("command", ()))))


def _status(reel: Reel, state: State, moment: int, say: Say) -> str:
    if not reel.tapes:
        return say("waiting for the first look …", "等待首个采样点 …")
    clock = datetime.fromtimestamp(moment / 1000, timezone.utc).astimezone()
    parts = [f"{clock:%Y-%m-%d %H:%M:%S}", "+" + duration(moment - reel.start_ms)]
    if state.moment_ms is None:
        parts.append(_ended(reel, say) if reel.is_over else say("● LIVE", "● 实时"))
    else:
        parts.append(f"▶ {state.speed:g}×" if state.is_playing else say("❚❚ paused", "❚❚ 暂停"))
        parts.append(say("of ", "全长 ") + duration(reel.end_ms - reel.start_ms))
    damage = damage_words(reel.tapes, say)
    parts += [damage] if damage else []
    parts.append(say("sorted by ", "排序：") + say(state.sort, SORTED[state.sort]))
    return "  ".join(parts)


SORTED = {"cpu": "CPU", "memory": "内存", "io": "读写", "wait": "等待", "rank": "MPI 序号"}


def _ended(reel: Reel, say: Say) -> str:
    for tape in reel.tapes:
        end = tape.end or {}
        if end.get("signal"):
            return say(f"■ ended by signal {end['signal']}", f"■ 被信号 {end['signal']} 终止")
        if end.get("exit_code"):
            return say(f"■ ended, exit code {end['exit_code']}", f"■ 已结束，退出码 {end['exit_code']}")
    if any(tape.end is None for tape in reel.tapes):
        return "■ " + cut_off_words(reel.tapes, say)
    return say("■ ended", "■ 已结束")


def _key(sort: str) -> Callable[[tuple[ProcessNow, Seen]], tuple[float, ...]]:
    """What is most comes first; of ranks, those without one last."""

    def key(pair: tuple[ProcessNow, Seen]) -> tuple[float, ...]:
        one = pair[0]
        first = {
            "cpu": -one.cores,
            "memory": -float(one.rss_kib),
            "io": -(one.read + one.written),
            "wait": -one.waiting.share,
            "rank": float(one.process.rank) if one.process.rank >= 0 else float("inf"),
        }[sort]
        return (first, -one.cores, -one.rss_kib, one.process.number)

    return key


def _tree(pairs: list[tuple[ProcessNow, Seen]], sort: str) -> list[tuple[int, ProcessNow, Seen]]:
    """Children below their parents, with their depth."""
    known = {(id(node.tape), one.process.pid) for one, node in pairs}
    below: dict[tuple[int, int], list[tuple[ProcessNow, Seen]]] = {}
    roots = []
    for pair in sorted(pairs, key=_key(sort)):
        parent = (id(pair[1].tape), pair[0].process.parent)
        if parent in known and pair[0].process.parent != pair[0].process.pid:
            below.setdefault(parent, []).append(pair)
        else:
            roots.append(pair)
    found, waiting = [], [(0, *pair) for pair in reversed(roots)]
    while waiting:
        depth, one, node = waiting.pop()
        found.append((depth, one, node))
        waiting += [(depth + 1, *pair) for pair in reversed(below.pop((id(node.tape), one.process.pid), []))]
    return found


def _row(
    one: ProcessNow, node: Seen, depth: int, shares: Mapping[int, float], *, has_node: bool, has_rank: bool
) -> Row:
    process = one.process
    cells = [clean(node.name)] * has_node
    cells += [str(process.rank) if process.rank >= 0 else ""] * has_rank
    if shares:
        cells.append(f"{100 * shares[process.rank]:.0f}%" if process.rank in shares else "")
    command = clean(process.command or process.name)
    cells += [
        str(process.pid),
        clean(one.state),
        str(one.threads),
        f"{100 * one.cores:.0f}%",
        amount(one.rss_kib * 1024),
        amount(one.read) if one.read else "–",
        amount(one.written) if one.written else "–",
        as_known(one.waiting, f"{100 * one.waiting.share:.0f}%"),
        duration(one.cpu_ms),
        "  " * (depth - 1) + "└ " * (depth > 0) + command,
    ]
    return Row(cells, spark(node.cores_of(process.number), SPARK, max(1.0, one.threads * 1.0)), one.cores)


def _summary(seen: list[Seen], pairs: list[tuple[ProcessNow, Seen]], ranks: Balance, say: Say) -> str:
    if not seen:
        return ""
    nodes, processes, threads = _nodes(seen), len(pairs), sum(one.threads for one, _ in pairs)
    running, blocked = (sum(one.state == state for one, _ in pairs) for state in "RD")
    cores = f"{sum(node.now.cores for node in seen):.2f}"
    memory = amount(_memory_kib(seen) * 1024)
    parts = [
        say(f"{nodes} {word(nodes, 'node')}", f"{nodes} 节点"),
        say(f"{processes} {word(processes, 'process', 'processes')}", f"{processes} 进程"),
        say(f"{running} running, {blocked} in D", f"{running} 运行、{blocked} D 状态"),
        say(f"{count(threads)} {word(threads, 'thread')}", f"{count(threads)} 线程"),
        say(f"{cores} cores", f"{cores} 核"),
        memory,
    ]
    if ranks.load is not None:
        parts.append(say(f"load balance {ranks.load:.2f}", f"负载均衡 {ranks.load:.2f}"))
    return "  ".join(parts)
