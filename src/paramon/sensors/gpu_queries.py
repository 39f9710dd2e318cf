"""What a GPU is asked, and what its errors mean."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Callable

NEVER = {2, 3, 4, 13}
"""NVML_ERROR_INVALID_ARGUMENT, _NOT_SUPPORTED, _NO_PERMISSION, _FUNCTION_NOT_FOUND: this device will not answer that
question, so it is not asked again."""
GONE = {15, 28}
"""NVML_ERROR_GPU_IS_LOST, _GPU_NOT_FOUND."""
KIB = 1024

Query = Callable[[ModuleType, object], "dict[str, int]"]


class Lost(Exception):
    """The card fell off the bus."""


class Device:
    """A card or an instance of MIG. `start` begins its series."""

    def __init__(self, nvml: ModuleType, handle: object, start: str, queries: Sequence[Query]) -> None:
        self._nvml, self._handle, self._start = nvml, handle, start
        self._queries = list(queries)
        self._processes: set[str] = set()
        self._failed = 0

    def read(self, found: dict[str, int]) -> None:
        """Lost where it is."""
        for query in list(self._queries):
            told = self._asked(query)
            if query is processes:
                told = self._with_ended(told)
            for what, value in told.items():
                found[self._start + what] = value
        if self._failed:
            found[self._start + "failed_reads"] = self._failed

    def _asked(self, query: Query) -> dict[str, int]:
        try:
            return query(self._nvml, self._handle)
        except AttributeError:  # a binding that does not know it yet, or any more
            self._queries.remove(query)
        except self._nvml.NVMLError as wrong:
            if wrong.value in GONE:
                raise Lost from None
            if wrong.value in NEVER:
                self._queries.remove(query)
            else:
                self._failed += 1
        return {}

    def _with_ended(self, told: dict[str, int]) -> dict[str, int]:
        """Those that were there at the last read and are not any more have no memory now."""
        ended = dict.fromkeys(self._processes - set(told), 0)
        self._processes = set(told)
        return {**told, **ended}


def minor(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Which /dev/nvidia… it is: what a process sees as its first card may be any."""
    return {"minor": nvml.nvmlDeviceGetMinorNumber(handle)}


def utilisation(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Part of the last moments (a sixth of a second to one) in which any kernel ran, and in which memory was read or
    written. A card with one small kernel is as busy by this as a full one: its power tells more."""
    told = nvml.nvmlDeviceGetUtilizationRates(handle)
    return {"sm_permille": told.gpu * 10, "memory_permille": told.memory * 10}


def memory(nvml: ModuleType, handle: object) -> dict[str, int]:
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


def errors(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Of its memory, since the driver was loaded."""
    corrected, uncorrected = (
        nvml.nvmlDeviceGetTotalEccErrors(handle, kind, nvml.NVML_VOLATILE_ECC)
        for kind in (nvml.NVML_MEMORY_ERROR_TYPE_CORRECTED, nvml.NVML_MEMORY_ERROR_TYPE_UNCORRECTED)
    )
    return {"ecc_corrected": corrected, "ecc_uncorrected": uncorrected}


def pcie(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Counters, of newer cards; nvmlDeviceGetPcieThroughput would keep us waiting for 20 ms."""
    fields = {
        "pcie_sent_bytes": nvml.NVML_FI_DEV_PCIE_COUNT_TX_BYTES,
        "pcie_received_bytes": nvml.NVML_FI_DEV_PCIE_COUNT_RX_BYTES,
    }
    told = nvml.nvmlDeviceGetFieldValues(handle, list(fields.values()))
    return {what: int(one.value.ullVal) for what, one in zip(fields, told) if one.nvmlReturn == 0}


def processes(nvml: ModuleType, handle: object) -> dict[str, int]:
    """Their memory on the card; a process that computes and draws is told of twice, with the same memory."""
    told = [*nvml.nvmlDeviceGetComputeRunningProcesses(handle), *nvml.nvmlDeviceGetGraphicsRunningProcesses(handle)]
    return {f"process.{one.pid}.memory_kib": (one.usedGpuMemory or 0) // KIB for one in told}


ALL: Sequence[Query] = (
    minor, utilisation, memory, power, energy, temperature, clock, throttling, errors, pcie, processes,
)  # fmt: skip
