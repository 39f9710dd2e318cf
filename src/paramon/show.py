"""A profile in a page of text."""

from __future__ import annotations

from paramon.sample.fields import AT
from paramon.sample.profile import NodeProfile, open_profile


def show(path: str) -> str:
    return "\n\n".join(_node(one) for one in open_profile(path)) + "\n"


def _node(node: NodeProfile) -> str:
    last: dict[int, tuple[int, ...]] = {}
    peak: dict[int, int] = {}
    ticks = samples = 0
    for chunk in node.chunks():
        ticks += len(chunk.ticks)
        for number, rows in chunk.rows.items():
            last[number] = rows[-1][1]
            peak[number] = max(peak.get(number, 0), *(values[AT["rss_kib"]] for _, values in rows))
            samples += len(rows)
    second = node.header.get("ticks_a_second", 100)
    lines = [f"{node.header['node']}  {' '.join(node.header.get('command', []))}"]
    for number, values in sorted(last.items()):
        one = node.processes.get(number)
        name = f"{one.pid} {one.name}" if one else "?"
        cpu = (values[AT["user_ticks"]] + values[AT["system_ticks"]]) / second
        lines.append(f"  {name:<30} {cpu:>10.2f} s CPU {peak[number] / 1024:>10.1f} MiB")
    lines.append(f"  {ticks} ticks, {samples} rows; {node.end}")
    return "\n".join(lines)
