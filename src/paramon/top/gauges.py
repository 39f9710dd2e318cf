"""Bars of a node and of its GPUs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from paramon.show.counted import hardware_words
from paramon.text import amount, bar, clean, spark
from paramon.top.reel import Seen
from paramon.top.words import Say
from paramon.units import rate, value

PLOT = 16
GPU = re.compile(r"gpu\.([0-9]{1,9}(?:\.mig\.[0-9]{1,9})?)\.(.+)")
BESIDE = ("power_mw", "temperature_celsius", "sm_mhz")
SLOWED = (
    (4, "power limit", "功耗上限"), (8, "its hardware", "硬件保护"), (32 | 64, "heat", "过热"),
    (128, "power brake", "供电限制"), (2, "clocks that were set", "设定频率"), (16 | 256, "other clocks", "其他时钟"),
)  # fmt: skip
"""Bits of nvmlClocksEventReasons but the first: one that has nothing to do slows down, too."""


class Gauge(NamedTuple):
    """`part`: how full the bar is, 0 to 1; None for text alone. `plot`: how it went."""

    label: str
    part: float | None
    text: str
    plot: str = ""


def pieces(gauges: Sequence[Gauge], columns: int) -> Iterator[tuple[str, str, float]]:
    """Texts of a line with what they are (`name`, `text`, `bar`, `plot`) and how full that is. `columns`: of a bar."""
    for at, one in enumerate(gauges):
        shown = [
            (one.label, "text" if one.text else "name"),
            (bar(one.part, columns) if one.part is not None else "", "bar"),
            (one.text, "text"),
            (one.plot, "plot"),
        ]
        before = "  " if at else ""
        for text, kind in shown:
            if text:
                yield before, "text", 0.0
                yield text, kind, one.part or 0.0
                before = " "


def node_gauges(seen: Seen, say: Say) -> list[Gauge]:
    now, values = seen.now, seen.now.values
    found = [Gauge(clean(seen.name), None, ""), Gauge("CPU", now.cores / seen.cores, f"{now.cores:.1f}/{seen.cores}")]
    if seen.busy:
        text = f"{100 * seen.busy[-1]:.0f}%"
        found.append(Gauge(say("all", "全节点"), None, text, spark(seen.busy, PLOT, 1.0)))
    total, available = values.get("memory.total_kib", 0), values.get("memory.available_kib", 0)
    ours = amount(now.memory_kib * 1024)
    if total:
        text = f"{ours}/{amount(total * 1024)}"
        found.append(Gauge(say("MEM", "内存"), now.memory_kib / total, text))
        found.append(Gauge(say("left", "剩余"), None, amount(available * 1024)))
    else:
        found.append(Gauge(say("MEM", "内存"), None, ours))
    return found + [Gauge("", None, told) for told in hardware_words(now.hardware, say)] + _flows(seen, say)


def _flows(seen: Seen, say: Say) -> list[Gauge]:
    """What goes through network, InfiniBand and disks, and who is held up."""
    rates, found = seen.now.rates, []
    for label, group, ends in (
        (say("net", "网络"), "network", ("received_bytes", "sent_bytes")),
        ("IB", "infiniband", ("received_bytes", "sent_bytes")),
        (say("disk", "磁盘"), "disk", ("read_bytes", "written_bytes")),
        ("Lustre", "lustre", ("read_bytes", "written_bytes")),
        ("NFS", "nfs", ("read_bytes", "written_bytes")),
    ):
        sums = [sum(rate for name, rate in rates.items() if name.startswith(group + ".") and name.endswith(end))
                for end in ends]  # fmt: skip
        if any(sums):
            found.append(Gauge(label, None, f"↓{amount(sums[0])}/s ↑{amount(sums[1])}/s"))
    held = [f"{what} {rate('_us', rates[name])}" for what in ("cpu", "io", "memory")
            if rates.get(name := f"pressure.{what}_some_us", 0) >= 5000]  # fmt: skip
    if held:
        found.append(Gauge(say("held up", "受阻"), None, " ".join(held)))
    return found


def gpu_gauges(seen: Seen, say: Say) -> list[list[Gauge]]:
    """A line for each card, and for each of its instances."""
    cards: dict[str, dict[str, int]] = {}
    for series, number in seen.now.values.items():
        found = GPU.fullmatch(series)
        if found:
            cards.setdefault(found[1], {})[found[2]] = number
    return [_card(seen, card, told, say) for card, told in sorted(cards.items(), key=lambda pair: _order(pair[0]))]


def _order(card: str) -> list[int]:
    return [int(part) for part in card.split(".") if part.isdecimal()]


def _card(seen: Seen, card: str, told: dict[str, int], say: Say) -> list[Gauge]:
    name = f"{clean(seen.name)} GPU {card.replace('.mig.', '/')}"
    if told.get("lost"):
        return [Gauge(name, None, say("LOST: it fell off the bus", "掉卡"))]
    line = [Gauge(name, None, "")]
    if "sm_permille" in told:
        series = f"gpu.{card}.sm_permille"
        went = [float(seen.window.value(series, at) or 0) for at in range(max(seen.tick - 24, 0), seen.tick + 1)]
        part = told["sm_permille"] / 1000
        line.append(Gauge("SM", part, f"{100 * part:.0f}%", spark(went, PLOT, 1000.0)))
    if told.get("memory_total_kib"):
        used, total = told.get("memory_used_kib", 0), told["memory_total_kib"]
        line.append(Gauge(say("MEM", "显存"), used / total, f"{amount(used * 1024)}/{amount(total * 1024)}"))
    reasons = told.get("throttle_reasons", 0) & ~1
    if reasons:
        why = [say(en, zh) for bits, en, zh in SLOWED if reasons & bits] or [hex(reasons)]
        line.append(Gauge(say("slowed by", "降频："), None, say(", ", "、").join(why)))
    line += [Gauge("", None, value(what, told[what])) for what in BESIDE if what in told]
    return line
