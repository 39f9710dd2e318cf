"""What could not be had, and why: at length where somebody can do something about it, and in a line what is simply not
there. Their own names are for programs."""

from __future__ import annotations

import re

from paramon.facts.job import JobFacts
from paramon.show.series_words import Words
from paramon.show.sheet import Sheet
from paramon.text import clean

LACKS: Words = {
    "cpu": ("the nodes' CPU time", "节点 CPU 时间"), "cores": ("CPU time of each core", "各核 CPU 时间"),
    "memory": ("the nodes' memory", "节点内存"), "pressure": ("what held tasks up (PSI)", "任务受阻时间（PSI）"),
    "frequency": ("clock rates", "主频"), "energy": ("energy meter (RAPL)", "能耗计（RAPL）"),
    "power": ("power meter", "功率计"), "network": ("network", "网络"), "infiniband": ("InfiniBand", "InfiniBand"),
    "disk": ("disks", "磁盘"), "nfs": ("NFS", "NFS"), "lustre": ("Lustre", "Lustre"), "gpu": ("GPU", "GPU"),
    "cgroup": ("control group of the job", "作业控制组（cgroup）"),
    "node_counter": ("memory traffic of the nodes", "节点访存流量"),
    "counter": ("hardware counters", "硬件计数器"),
    "counter_of_all": ("hardware counters of all processes", "全部进程的硬件计数器"),
    "mpi": ("ranks' time in MPI", "各进程的 MPI 时间"), "mpi_sleep": ("ranks asleep in MPI", "在 MPI 中休眠的时间"),
    "exits": ("short-lived processes by program", "短时进程明细"),
    "process_io": ("I/O of all processes", "全部进程的读写"), "other_nodes": ("other nodes", "其他节点"),
}  # fmt: skip
"""By the name in a profile. One that is not here is its own."""
NOT_THERE = re.compile(r"(?:/\S*: )?(?:no|neither) ")
"""How the reason begins, in English, where nothing can be done on this machine."""


def lacks(facts: JobFacts, sheet: Sheet) -> list[str]:
    reasons = _by_reason(facts, sheet)
    lines, absent = [], [name for why, names in reasons.items() if NOT_THERE.match(why[0]) for name in names]
    if absent:
        en, zh = ", ".join(absent), "、".join(absent)
        lines += sheet.line("", sheet.say(f"not on this machine: {en}", f"本机没有：{zh}"))
    for why, names in reasons.items():
        if not NOT_THERE.match(why[0]):
            en, zh = ", ".join(names), "、".join(names)
            lines += sheet.line("", sheet.say(f"not to be had: {en}: {why[0]}", f"无法采集：{zh}：{why[1]}"))
    return lines


def _by_reason(facts: JobFacts, sheet: Sheet) -> dict[tuple[str, str], list[str]]:
    """What is missing, of all nodes, by why, in English and Chinese; one that differs is said with its node."""
    found: dict[str, tuple[str, str]] = {}
    for node in facts.nodes:
        told = node.profile.header.get("unavailable")
        for name, why in told.items() if isinstance(told, dict) else ():
            both = why if isinstance(why, list) and why else [why]
            text = clean(str(both[0])), clean(str(both[-1]))
            words = sheet.say(*LACKS.get(name, (clean(name), clean(name))))
            if found.setdefault(words, text) != text:
                found[f"{words} ({node.name})"] = text
    reasons: dict[tuple[str, str], list[str]] = {}
    for name, text in found.items():
        reasons.setdefault(text, []).append(name)
    return reasons
