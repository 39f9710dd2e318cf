"""What hardware counters say, in words: of a whole run on a page, of a moment on a screen."""

from __future__ import annotations

from typing import Callable

from paramon.facts.hardware import Hardware
from paramon.text import amount, word


def hardware_words(found: Hardware, say: Callable[[str, str], str]) -> list[str]:
    """Nothing for what was not counted. `say`: of an English and a Chinese text, the one to show."""
    told = []
    if found.instructions_a_cycle is not None:
        ipc = f"{found.instructions_a_cycle:.2f}"
        told.append(say(f"{ipc} instructions a cycle", f"IPC {ipc}"))
    if found.flop_a_second is not None:
        told.append(f"{found.flop_a_second / 1e9:.3g} GFLOP/s")
    if found.vectorised is not None:
        part = f"{100 * found.vectorised:.0f} %"
        told.append(say(f"{part} of FP instructions vectors'", f"浮点向量化 {part}"))
    for cache, misses in found.misses.items():
        number = f"{misses:.3g}"
        told.append(say(f"{cache} misses {number} in 1000 instructions", f"每千条指令 {cache} 未命中 {number}"))
    if found.memory_bytes_a_second is not None:
        rate = f"{amount(found.memory_bytes_a_second)}/s"
        told.append(say(f"nodes' memory {rate}", f"节点访存 {rate}"))
    if found.flop_a_byte is not None:
        told.append(f"{found.flop_a_byte:.3g} FLOP/B")
    if told and found.uncounted:
        of_them = word(found.uncounted, "process", "processes")
        told.append(say(f"{found.uncounted} {of_them} not counted", f"{found.uncounted} 个进程未计入"))
    return told
