"""Which processor this is, and what its family calls itself here (proc_cpuinfo(5))."""

from __future__ import annotations

from typing import NamedTuple

from paramon.sensors.sensor import Unavailable

INTEL, AMD = "GenuineIntel", "AuthenticAMD"
SKYLAKE, ICE_LAKE, SAPPHIRE_RAPIDS = "skylake", "ice lake", "sapphire rapids"
ZEN2, ZEN3, ZEN4 = "zen 2", "zen 3", "zen 4"
INTEL_MODELS = {
    85: SKYLAKE,  # with Cascade Lake and Cooper Lake
    106: ICE_LAKE,
    108: ICE_LAKE,
    143: SAPPHIRE_RAPIDS,
    207: SAPPHIRE_RAPIDS,  # Emerald Rapids counts as it does
}
"""Of family 6: those of servers (Linux's intel-family.h)."""
AMD_MODELS = (
    (23, 0x30, 0xFF, ZEN2),
    (25, 0x00, 0x0F, ZEN3),
    (25, 0x20, 0x5F, ZEN3),
    (25, 0x10, 0x1F, ZEN4),
    (25, 0x60, 0xAF, ZEN4),
)
"""Family, first and last model, and what they are (Linux's arch/x86/kernel/cpu/amd.c)."""


class Processor(NamedTuple):
    vendor: str
    family: int
    model: int
    name: str


def processor(cpuinfo: str) -> Processor:
    """Of the file's first processor; Unavailable for another architecture, which describes itself otherwise."""
    known: dict[str, str] = {}
    for line in cpuinfo.splitlines():
        if not line.strip():
            break
        key, _, value = line.partition(":")
        known[key.strip()] = value.strip()
    try:
        return Processor(known["vendor_id"], int(known["cpu family"]), int(known["model"]), known["model name"])
    except (KeyError, ValueError):
        raise Unavailable("no x86 processor: its events are not known", "非 x86 处理器：事件未知") from None


def generation(one: Processor) -> str:
    """One of the names above; Unavailable for one whose events are not known, with its name."""
    if one.vendor == INTEL and one.family == 6 and one.model in INTEL_MODELS:
        return INTEL_MODELS[one.model]
    if one.vendor == AMD:
        for family, first, last, name in AMD_MODELS:
            if one.family == family and first <= one.model <= last:
                return name
    told = f"{one.name} ({one.vendor} {one.family}/{one.model})"
    raise Unavailable(f"the events of {told} are not known", f"未知处理器 {told} 的事件")
