# ruff: noqa: N802  # the functions have NVML's names
"""A stand-in for NVIDIA's `nvidia-ml-py`: its names, arguments and errors, over cards that a test describes in `CARDS`.

What a card has not answers with an error as NVML does: `errors` gives the code by function.
"""

from types import SimpleNamespace

NVML_TEMPERATURE_GPU = 0
NVML_CLOCK_SM = 1
NVML_VOLATILE_ECC = 0
NVML_MEMORY_ERROR_TYPE_CORRECTED, NVML_MEMORY_ERROR_TYPE_UNCORRECTED = 0, 1
NVML_FI_DEV_PERF_POLICY_POWER, NVML_FI_DEV_PERF_POLICY_THERMAL = 74, 75
NOT_SUPPORTED, NO_PERMISSION, NOT_FOUND, DRIVER_NOT_LOADED = 3, 4, 6, 9
FUNCTION_NOT_FOUND, IS_LOST, UNKNOWN = 13, 15, 999
nvmlMemory_v2 = 0x2000028  # noqa: N816  # as above
RESERVED = 615 << 20
"""Bytes that the driver keeps for itself, which only the second version tells apart."""

CARDS = []
"""What a test puts here; `card()` makes one."""
ASKED = []
"""Each question, in order: the function's name and the card's minor number."""
STATE = {"init_error": 0, "initialised": 0}


class NVMLError(Exception):
    def __init__(self, value):
        super().__init__(value)
        self.value = value

    def __str__(self):
        return {NOT_SUPPORTED: "Not Supported", DRIVER_NOT_LOADED: "Driver Not Loaded", IS_LOST: "GPU is lost"}.get(
            self.value, "Unknown Error"
        )


def card(minor, *, processes=(), instances=None, errors=None):
    """`processes`: (pid, bytes or None); `instances`: of MIG, by their number, None where it is off."""
    return SimpleNamespace(
        minor=minor, processes=list(processes), instances=instances, errors=dict(errors or {}), used=1 << 30
    )


def _ask(name, handle):
    ASKED.append((name, handle.minor))
    if name in handle.errors:
        raise NVMLError(handle.errors[name])
    if "*" in handle.errors:
        raise NVMLError(handle.errors["*"])
    return handle


def nvmlInit():
    if STATE["init_error"]:
        raise NVMLError(STATE["init_error"])
    STATE["initialised"] += 1


def nvmlShutdown():
    STATE["initialised"] -= 1


def nvmlDeviceGetCount():
    return len(CARDS)


def nvmlDeviceGetHandleByIndex(index):
    return _ask("nvmlDeviceGetHandleByIndex", CARDS[index])


def nvmlDeviceGetMinorNumber(handle):
    return _ask("nvmlDeviceGetMinorNumber", handle).minor


def nvmlDeviceGetUtilizationRates(handle):
    _ask("nvmlDeviceGetUtilizationRates", handle)
    return SimpleNamespace(gpu=97, memory=41)


def nvmlDeviceGetMemoryInfo(handle, version=None):
    _ask("nvmlDeviceGetMemoryInfo" + ("_v2" if version else ""), handle)
    return SimpleNamespace(total=80 << 30, free=79 << 30, used=handle.used + (0 if version else RESERVED))


def nvmlDeviceGetPowerUsage(handle):
    return _ask("nvmlDeviceGetPowerUsage", handle) and 312_345


def nvmlDeviceGetTotalEnergyConsumption(handle):
    return _ask("nvmlDeviceGetTotalEnergyConsumption", handle) and 2**40


def nvmlDeviceGetTemperature(handle, sensor):
    assert sensor == NVML_TEMPERATURE_GPU
    return _ask("nvmlDeviceGetTemperature", handle) and 54


def nvmlDeviceGetClockInfo(handle, clock):
    assert clock == NVML_CLOCK_SM
    return _ask("nvmlDeviceGetClockInfo", handle) and 1980


def nvmlDeviceGetCurrentClocksThrottleReasons(handle):
    return _ask("nvmlDeviceGetCurrentClocksThrottleReasons", handle) and 4


def nvmlDeviceGetTotalEccErrors(handle, error_type, counter_type):
    assert counter_type == NVML_VOLATILE_ECC
    _ask("nvmlDeviceGetTotalEccErrors", handle)
    return 2 if error_type == NVML_MEMORY_ERROR_TYPE_CORRECTED else 1


def nvmlDeviceGetFieldValues(handle, fields):
    """Errors are in the answers, one by one."""
    _ask("nvmlDeviceGetFieldValues", handle)
    by_power, by_heat = (SimpleNamespace(nvmlReturn=0, value=SimpleNamespace(ullVal=10**13 + one)) for one in fields)
    by_heat.nvmlReturn = handle.errors.get("heat", 0)
    return [by_power, by_heat]


def nvmlDeviceGetComputeRunningProcesses(handle):
    _ask("nvmlDeviceGetComputeRunningProcesses", handle)
    return [SimpleNamespace(pid=pid, usedGpuMemory=used) for pid, used in handle.processes]


def nvmlDeviceGetGraphicsRunningProcesses(handle):
    _ask("nvmlDeviceGetGraphicsRunningProcesses", handle)
    return []


def nvmlDeviceGetMigMode(handle):
    _ask("nvmlDeviceGetMigMode", handle)
    if handle.instances is None:
        raise NVMLError(NOT_SUPPORTED)
    return [int(bool(handle.instances)), 1]


def nvmlDeviceGetMaxMigDeviceCount(handle):
    return 7


def nvmlDeviceGetMigDeviceHandleByIndex(handle, index):
    if index not in handle.instances:
        raise NVMLError(NOT_FOUND)
    return handle.instances[index]
