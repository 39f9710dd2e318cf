"""What a GPU is asked, and what its errors mean."""

from __future__ import annotations

from collections.abc import Mapping
from types import ModuleType
from typing import Callable

NO_PERMISSION = 4
NEVER = {2, 3, NO_PERMISSION, 13}
"""NVML_ERROR_INVALID_ARGUMENT, _NOT_SUPPORTED, _NO_PERMISSION, _FUNCTION_NOT_FOUND: this device will not answer that
question, so it is not asked again."""
GONE = {15, 28}
"""NVML_ERROR_GPU_IS_LOST, _GPU_NOT_FOUND."""
OTHER_VERSION = {13, 25}
"""NVML_ERROR_FUNCTION_NOT_FOUND, _ARGUMENT_VERSION_MISMATCH: of a driver from before."""
KIB = 1024

Query = Callable[[ModuleType, object], "dict[str, int]"]


class Lost(Exception):
    """The card fell off the bus."""


class Device:
    """A card or an instance of MIG. `start` begins its series."""

    def __init__(self, nvml: ModuleType, handle: object, start: str, queries: Mapping[Query, int]) -> None:
        """`queries`: with the number of looks from one time that it is asked to the next."""
        self._nvml, self._handle, self._start = nvml, handle, start
        self._queries = dict(queries)
        self._told: dict[Query, dict[str, int]] = {}
        self._used: dict[str, int] | None = None
        self._failed = 0

    def read(self, found: dict[str, int], look: int) -> None:
        """What is not asked at this look is as it was. Lost where the card is."""
        for query, every in list(self._queries.items()):
            if query not in self._told or look % every == 0 or (query is processes and self._has_other_memory()):
                self._ask(query)
        for told in self._told.values():
            for what, value in told.items():
                found[self._start + what] = value
        if self._failed:
            found[self._start + "failed_reads"] = self._failed

    def forget(self) -> None:
        """All of it is asked at the next read."""
        self._queries = dict.fromkeys(self._queries, 1)

    def _has_other_memory(self) -> bool:
        return self._told.get(memory) != self._used

    def _ask(self, query: Query) -> None:
        before, told = self._told.pop(query, {}), self._asked(query)
        if told is None:
            return
        if query is processes:
            self._used = self._told.get(memory)
            # Who was there at the last look and is not any more has no memory now; then no more is said of it.
            told = {**{what: 0 for what, kib in before.items() if kib}, **told}
        self._told[query] = told

    def _asked(self, query: Query) -> dict[str, int] | None:
        """None where it does not say."""
        try:
            return query(self._nvml, self._handle)
        except AttributeError:  # a binding that does not know it yet, or any more
            del self._queries[query]
        except self._nvml.NVMLError as wrong:
            if wrong.value in GONE:
                raise Lost from None
            if wrong.value in NEVER:
                del self._queries[query]
            else:
                self._failed += 1
        return None


def minor(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Which /dev/nvidia… it is: what a process sees as its first card may be any."""
    return {"minor": nvml.nvmlDeviceGetMinorNumber(handle)}


def utilisation(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Part of the last moments (a sixth of a second to one) in which any kernel ran, and in which memory was read or
    written. A card with one small kernel is as busy by this as a full one: its power tells more."""
    told = nvml.nvmlDeviceGetUtilizationRates(handle)
    return {"sm_permille": told.gpu * 10, "memory_permille": told.memory * 10}


def memory(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Used: by programs. Where driver or binding is too old to tell, what the driver keeps for itself is in it."""
    try:
        told = nvml.nvmlDeviceGetMemoryInfo(handle, version=nvml.nvmlMemory_v2)
    except (AttributeError, TypeError):
        told = nvml.nvmlDeviceGetMemoryInfo(handle)
    except nvml.NVMLError as wrong:
        if wrong.value not in OTHER_VERSION:
            raise
        told = nvml.nvmlDeviceGetMemoryInfo(handle)
    return {"memory_used_kib": told.used // KIB, "memory_total_kib": told.total // KIB}


def power(nvml: ModuleType, handle: object) -> dict[str, int]:
    return {"power_mw": nvml.nvmlDeviceGetPowerUsage(handle)}


def energy(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Since the driver was loaded."""
    return {"energy_mj": nvml.nvmlDeviceGetTotalEnergyConsumption(handle)}


def temperature(nvml: ModuleType, handle: object) -> dict[str, int]:
    return {"temperature_celsius": nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU)}


def clock(nvml: ModuleType, handle: object) -> dict[str, int]:
    return {"sm_mhz": nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM)}


def throttling(nvml: ModuleType, handle: object) -> dict[str, int]:
    """A mask of nvmlClocksEventReasons: 1 idle, 4 power cap, 8 hardware slowdown, 32 and 64 hot,
    128 power brake …"""
    return {"throttle_reasons": nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle)}


def throttled(nvml: ModuleType, handle: object) -> dict[str, int]:
    """For how long it was slower than it could be, since the driver was loaded."""
    fields = {
        "throttled_by_power_us": nvml.NVML_FI_DEV_PERF_POLICY_POWER,
        "throttled_by_heat_us": nvml.NVML_FI_DEV_PERF_POLICY_THERMAL,
    }
    told = nvml.nvmlDeviceGetFieldValues(handle, list(fields.values()))
    return {what: int(one.value.ullVal) // 1000 for what, one in zip(fields, told) if one.nvmlReturn == 0}


def errors(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Of its memory, since the driver was loaded."""
    corrected, uncorrected = (
        nvml.nvmlDeviceGetTotalEccErrors(handle, kind, nvml.NVML_VOLATILE_ECC)
        for kind in (nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED)
    )
    return {"ecc_corrected": corrected, "ecc_uncorrected": uncorrected}


def processes(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Their memory on the card; a process that computes and draws is told of twice, with the same memory."""
    told = [*nvml.nvmlDeviceGetComputeRunningProcesses(handle), *nvml.nvmlDeviceGetGraphicsRunningProcesses(handle)]
    return {f"process.{one.pid}.memory_kib": (one.usedGpuMemory or 0) // KIB for one in told}


ALL: Mapping[Query, int] = {
    utilisation: 1, power: 1, memory: 1, throttling: 1,
    clock: 5, temperature: 5, throttled: 5, processes: 10,
    energy: 60, errors: 60, minor: 3600,
}  # fmt: skip
"""Looks from one time that each is asked to the next, by what it costs: of an H200 energy takes 3.5 ms of CPU time and
all others 0.05 to 0.2. Counters of PCIe are not asked: they are of 32 bits, over after a tenth of a second."""
