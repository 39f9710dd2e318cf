"""What each generation of processors calls what we count.

Codes and masks are the vendors' own: Intel's perfmon tables (https://github.com/intel/perfmon), AMD's Processor
Programming References (documents 54945, 55898, 56713 and 55901), as in Linux's tools/perf/pmu-events. A core's events
are `cpu` in /sys/bus/event_source; those of memory controllers belong to devices of their own, one for each channel or
each socket.
"""

from __future__ import annotations

from typing import NamedTuple

from paramon.perf.processor import ICE_LAKE, SAPPHIRE_RAPIDS, SKYLAKE, ZEN2, ZEN3, ZEN4

Terms = dict[str, int]
"""Fields of an event by their names in the device's `format` folder."""
Core = tuple[dict[str, Terms], ...]
"""Groups of events of a core, by what they count; a group is counted as one."""


class Shared(NamedTuple):
    """What belongs to no core. `device`: how names of the devices begin. `events`: what they count; several of one name
    are added. Those of memory count lines of 64 bytes."""

    device: str
    events: tuple[tuple[str, Terms], ...]


class Known(NamedTuple):
    """`shared`: of memory and of caches; of each, whichever is there of several, the best first."""

    core: Core
    shared: tuple[tuple[Shared, ...], ...]


def _event(event: int, umask: int) -> Terms:
    return {"event": event, "umask": umask}


READ, WRITE, LINES = "dram_read_lines", "dram_write_lines", "dram_lines"
BASIC_INTEL = {"cycles": _event(0x3C, 0), "instructions": _event(0xC0, 0)}
BASIC_AMD = {"cycles": _event(0x76, 0), "instructions": _event(0xC0, 0)}
INTEL_WIDTHS = ("scalar_double", "scalar_single", "packed128_double", "packed128_single", "packed256_double",
                "packed256_single", "packed512_double", "packed512_single")  # fmt: skip
"""Of FP_ARITH_INST_RETIRED, by bits of its mask from the lowest."""
FP_ARITH = {name: _event(0xC7, 1 << bit) for bit, name in enumerate(INTEL_WIDTHS)}


def _chosen(ending: str) -> dict[str, Terms]:
    return {name: event for name, event in FP_ARITH.items() if name.endswith(ending)}


# Four registers beside the fixed ones for cycles and instructions, as with hyper-threading on.
INTEL_CORE: Core = (
    {**BASIC_INTEL, "llc_references": _event(0x2E, 0x4F), "llc_misses": _event(0x2E, 0x41)},
    _chosen("_double"),
    _chosen("_single"),
)


def _amd_core(flop_umask: int, *, has_widths: bool) -> Core:
    """Six registers; FLOP take two of them before Zen 4. They are told apart by width from Zen 4 on alone, as
    instructions."""
    caches = {"l2_requests": _event(0x60, 0xF9), "l2_misses": _event(0x64, 0x09)}
    widths = {"scalar_ops": 0x04, "packed128_ops": 0x08, "packed256_ops": 0x10, "packed512_ops": 0x20}
    groups = [{**BASIC_AMD, "flop": _event(0x03, flop_umask), **caches}]
    if has_widths:
        groups.append({name: _event(0x08, umask) for name, umask in widths.items()})
    return tuple(groups)


def _imc(event: int, read: int, write: int) -> tuple[Shared, ...]:
    """CAS_COUNT of each channel's controller."""
    return (Shared("uncore_imc", ((READ, _event(event, read)), (WRITE, _event(event, write)))),)


ZEN_DRAM = Shared("amd_df", tuple((LINES, _event(0x07 + 0x40 * channel, 0x38)) for channel in range(8)))
"""DRAM_CHANNEL_0 to 7, of a socket as one node (NPS1)."""
ZEN4_UMC = Shared("amd_umc", ((READ, {"event": 0x0A, "rdwrmask": 1}), (WRITE, {"event": 0x0A, "rdwrmask": 2})))
"""From Linux 6.8 on; before, the data fabric's."""
ZEN4_DRAM = Shared(
    "amd_df",
    tuple(
        (kind, _event(0x1F + 0x40 * channel, umask))
        for channel in range(12)
        for kind, umask in ((READ, 0x7FE), (WRITE, 0x7FF))
    ),
)

ZEN_L3 = Shared("amd_l3", (("l3_requests", _event(0x04, 0xFF)), ("l3_misses", _event(0x04, 0x01))))
"""The kernel adds all slices, cores and threads where none is named."""

TABLE = {
    SKYLAKE: Known(INTEL_CORE, (_imc(0x04, 0x03, 0x0C),)),
    ICE_LAKE: Known(INTEL_CORE, (_imc(0x04, 0x0F, 0x30),)),
    SAPPHIRE_RAPIDS: Known(INTEL_CORE, (_imc(0x05, 0xCF, 0xF0),)),
    ZEN2: Known(_amd_core(0xFF, has_widths=False), ((ZEN_DRAM,), (ZEN_L3,))),
    ZEN3: Known(_amd_core(0x0F, has_widths=False), ((ZEN_DRAM,), (ZEN_L3,))),
    ZEN4: Known(_amd_core(0x1F, has_widths=True), ((ZEN4_UMC, ZEN4_DRAM), (ZEN_L3,))),
}
