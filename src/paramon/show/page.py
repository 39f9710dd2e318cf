"""A job's profile as a page of text: what ran where, how long, and what it took."""

from __future__ import annotations

from datetime import datetime, timezone

from paramon.facts.hardware import Hardware
from paramon.facts.job import JobFacts
from paramon.facts.usage import Used
from paramon.show.about import about
from paramon.show.counted import hardware_words
from paramon.show.harm import cut_off_words
from paramon.show.nodes import node_lines
from paramon.show.sheet import LABEL, Sheet
from paramon.show.tables import process_table, rank_table
from paramon.show.waits import as_known
from paramon.text import amount, clean, count, cut, duration, spark, word

NODES_SHOWN = 8
PLOT = 60
"""Columns of a plot, at most."""


def page(facts: JobFacts, sheet: Sheet) -> str:
    lines = _head(facts, sheet)
    lines += _processors(facts, sheet) + _memory(facts, sheet)
    lines += _input_output(facts.used, sheet) + _threads(facts, sheet) + _hardware(facts.hardware, sheet)
    for table in (rank_table(facts, sheet), process_table(facts, sheet)):
        lines += ["", *table] if table else []
    nodes = list({node.name: node for node in facts.nodes}.values())
    for node in nodes[:NODES_SHOWN]:
        lines += ["", *node_lines(node, sheet)]
    more = len(nodes) - NODES_SHOWN
    if more > 0:
        en, zh = f"{more} more {word(more, 'node')}: --json has all", f"另有 {more} 个节点：见 --json"
        lines += ["", sheet.say(en, zh)]
    lines += ["", *about(facts, sheet)]
    return "\n".join(lines) + "\n"


def _head(facts: JobFacts, sheet: Sheet) -> list[str]:
    say, first = sheet.say, facts.nodes[0].profile.header
    command = clean(" ".join(map(str, first.get("command", ())))) or say("(no command)", "（无命令）")
    names = list(dict.fromkeys(node.name for node in facts.nodes))
    shown, job = ", ".join(names[:8]) + (" …" if len(names) > 8 else ""), clean(str(first.get("job") or ""))
    started = datetime.fromtimestamp(facts.start_ms / 1000, timezone.utc).astimezone()
    return [
        cut(command, sheet.columns),
        *sheet.line(
            say("Where", "位置"),
            say(f"{len(names)} {word(len(names), 'node')}: {shown}", f"{len(names)} 个节点：{shown}"),
            say(f"{facts.cores} {word(facts.cores, 'core')}", f"{facts.cores} 核"),
            say(f"job {job}", f"作业 {job}") if job else "",
        ),
        *sheet.line(
            say("When", "时间"),
            f"{started:%Y-%m-%d %H:%M:%S %z}",
            duration(facts.wall_ms),
            _slept(facts, sheet),
            _ending(facts, sheet),
        ),
    ]


def _slept(facts: JobFacts, sheet: Sheet) -> str:
    slept_ms = facts.wall_ms - facts.awake_ms
    return sheet.say(f"asleep for {duration(slept_ms)} of it", f"其中休眠 {duration(slept_ms)}") if slept_ms else ""


def _ending(facts: JobFacts, sheet: Sheet) -> str:
    """The first that went wrong is what is asked for."""
    say, ends = sheet.say, [node.profile.end for node in facts.nodes]
    for end in ends:
        if end and end.get("signal"):
            return say(f"ended by signal {end['signal']}", f"被信号 {end['signal']} 终止")
        if end and end.get("exit_code"):
            return say(f"exit code {end['exit_code']}", f"退出码 {end['exit_code']}")
    if any(node.is_running for node in facts.nodes):
        return say("still running", "仍在运行")
    if any(end is None for end in ends):
        return cut_off_words((node.profile for node in facts.nodes), say)
    if any(end is not None and "exit_code" in end for end in ends):
        return say("exit code 0", "退出码 0")
    return say("ended", "已结束")  # who only looks on is not told how


def _processors(facts: JobFacts, sheet: Sheet) -> list[str]:
    say, cores, there = sheet.say, facts.cores, facts.there_ms
    used, whole = duration(facts.cpu_ms), duration(there)
    part = f"{100 * facts.cpu_ms / there:.0f} %" if there else "–"
    mean = facts.cpu_ms / facts.awake_ms if facts.awake_ms else 0.0
    kernel = facts.used.kernel_part
    system = "–" if kernel is None else f"{100 * kernel:.0f} %"
    return [
        *sheet.line(
            "CPU",
            say(f"{used} used, {part} of its cores' {whole}", f"已用 {used}，占可用核时 {whole} 的 {part}"),
            say(f"{mean:.2f} of {cores} cores on average", f"平均 {mean:.2f} 核（共 {cores} 核）"),
            say(f"{system} of it in the kernel", f"内核态占 {system}"),
        ),
        *_plot(
            spark(facts.timeline.cpu_ms, _columns(sheet), cores * 1000.0), say("full", "满格") + f" = {cores}", sheet
        ),
    ]


def _memory(facts: JobFacts, sheet: Sheet) -> list[str]:
    say, used, nodes = sheet.say, facts.used, facts.nodes
    kib, second = facts.timeline.peak_memory()
    peak, when = amount(kib * 1024), duration(second * 1000)
    own, common = (amount(part * 1024) for part in (nodes[0].peak.anonymous_kib, nodes[0].peak.common_kib))
    has_nodes = len({node.name for node in nodes}) > 1
    most = max(facts.together, key=lambda some: some.peak_kib)
    fullest = "≤ " * (len(most.nodes) > 1) + amount(most.peak_kib * 1024)
    swap, of_peaks = amount(used.swap_kib * 1024), amount(used.peak_rss_kib * 1024)
    unseen = amount(facts.unseen_kib * 1024)
    of_nodes = amount(sum(node.peak.kib for node in nodes) * 1024)
    return [
        *sheet.line(
            say("Memory", "内存"),
            say(f"peak {peak} after {when}", f"峰值 {peak}（{when} 时）"),
            say(f"{own} of its own + {common} shared, counted once", f"私有 {own} + 共享 {common}（只计一次）")
            if len(nodes) == 1
            else "",
            say(f"on the fullest node {fullest}", f"最多的节点 {fullest}") if has_nodes else "",
            say(f"swap {swap}", f"换出 {swap}") if used.swap_kib else "",
        ),
        *_plot(spark(facts.timeline.memory_kib, _columns(sheet)), say("full", "满格") + f" = {peak}", sheet),
        *sheet.line(
            "",
            say(
                f"at one moment; the processes' own peaks, each at another, add up to {of_peaks}",
                f"以上为同一时刻之和；各进程峰值（时刻不同）合计 {of_peaks}",
            ),
            say(f"the nodes' to {of_nodes}", f"各节点峰值合计 {of_nodes}") if has_nodes else "",
            say(f"between two looks one had {unseen}", f"两次采样之间有进程曾达 {unseen}") if facts.unseen_kib else "",
        ),
    ]


def _input_output(used: Used, sheet: Sheet) -> list[str]:
    say = sheet.say
    read, written = amount(used.read_bytes), amount(used.write_bytes)
    return sheet.line(
        say("I/O", "读写"),
        say("read ", "读 ") + _calls(used.read_chars, used.read_calls, sheet),
        say("written ", "写 ") + _calls(used.write_chars, used.write_calls, sheet),
        say(f"at devices: {read} read, {written} written", f"设备：读 {read}、写 {written}"),
    )


def _calls(size: int, calls: int, sheet: Sheet) -> str:
    each = amount(size / calls) if calls else "–"
    whole, times = amount(size), count(calls)
    return sheet.say(
        f"{whole} in {times} {word(calls, 'call')} ({each} each)", f"{whole}，{times} 次调用（每次 {each}）"
    )


def _threads(facts: JobFacts, sheet: Sheet) -> list[str]:
    say, used = sheet.say, facts.used
    threads, processes = (sum(getattr(node, name) for node in facts.nodes) for name in ("threads", "processes"))
    waiting, forced = (as_known(used, count(each)) for each in (used.voluntary_switches, used.forced_switches))
    minor, major = count(used.minor_faults), count(used.major_faults)
    of_them = word(processes, "process", "processes")
    run = as_known(used, duration(used.run_wait_ms))
    blocked, devices = duration(used.blocked_ms), duration(used.block_wait_ms)
    return [
        *sheet.line(
            say("Threads", "线程"),
            say(f"{threads} at once in {processes} {of_them}, at most", f"同时最多 {threads} 个（{processes} 个进程）"),
            say(f"context switches: {waiting} to wait, {forced} forced", f"上下文切换：自愿 {waiting}、被动 {forced}"),
        ),
        *sheet.line(
            say("Waiting", "等待"),
            say(f"for a CPU {run}", f"等 CPU {run}"),
            say(f"in state D {blocked}", f"D 状态 {blocked}"),
            say(f"for block devices {devices}", f"等块设备 {devices}"),
            say(f"page faults: {minor} minor, {major} major", f"缺页：次 {minor}、主 {major}"),
        ),
    ]


def _hardware(found: Hardware, sheet: Sheet) -> list[str]:
    """Nothing where nothing was counted."""
    say = sheet.say
    told = hardware_words(found, say)
    return sheet.line(say("Processor", "处理器"), *told) if told else []


def _columns(sheet: Sheet) -> int:
    return min(PLOT, sheet.columns - LABEL - 25)


def _plot(blocks: str, text: str, sheet: Sheet) -> list[str]:
    return sheet.line("", f"▕{blocks}▏ {text}") if blocks else []
