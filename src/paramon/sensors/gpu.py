"""NVIDIA's GPUs, by NVML (docs.nvidia.com/deploy/nvml-api), where its Python binding `nvidia-ml-py` is installed."""

from __future__ import annotations

import os
from types import ModuleType

from paramon.sensors.aside import Aside
from paramon.sensors.gpu_queries import ALL, NO_PERMISSION, Device, Lost
from paramon.sensors.sensor import Sensor, Unavailable


def gpus(dev: str = "/dev") -> Sensor:
    """Asked aside: a driver that hangs must not hold up a job. Unavailable where there is none, or no binding."""
    if not os.path.exists(f"{dev}/nvidiactl"):
        raise Unavailable("no NVIDIA driver on this machine", "本机没有 NVIDIA 驱动")
    try:
        import pynvml  # type: ignore[import-untyped,import-not-found,unused-ignore]  # 6 MiB: only with a driver
    except ImportError:
        raise Unavailable(
            "the Python package nvidia-ml-py is not installed: pip install nvidia-ml-py",
            "未安装 Python 包 nvidia-ml-py：请执行 pip install nvidia-ml-py",
        ) from None
    return Aside("gpu", lambda: Gpu(pynvml))


class Gpu:
    """By card: `gpu.0.power_mw`; of its MIG instances: `gpu.0.mig.1.memory_used_kib`. A card that fell off the bus has
    `gpu.0.lost`, 1, and nothing more; the others go on."""

    name = "gpu"

    def __init__(self, pynvml: ModuleType) -> None:
        """`pynvml`: the binding. Unavailable where it finds no card."""
        self._nvml = pynvml
        try:
            pynvml.nvmlInit()
            count = pynvml.nvmlDeviceGetCount()
        except pynvml.NVMLError as wrong:
            raise Unavailable(f"NVML cannot be used: {wrong}", f"NVML 不可用：{wrong}") from None
        self._cards: dict[int, list[Device]] = {}
        self._lost: set[int] = set()
        self._looks = 0
        for number in range(count):
            self._add(number)
        if not self._cards and not self._lost:
            self.close()
            raise Unavailable("of the NVIDIA GPUs here none is for this process", "本机的 NVIDIA GPU 均不供本进程使用")

    def read(self) -> dict[str, int]:
        found: dict[str, int] = {}
        for number, devices in list(self._cards.items()):
            try:
                for device in devices:
                    device.read(found, self._looks + number)  # cards take turns with what is dear
            except Lost:
                self._lost.add(number)
                del self._cards[number]  # asking it again may take seconds
        for number in self._lost:
            found[f"gpu.{number}.lost"] = 1
        self._looks += 1
        return found

    def hurry(self) -> None:
        """The next read asks all of it: it is the last."""
        for devices in self._cards.values():
            for device in devices:
                device.forget()

    def close(self) -> None:
        try:
            self._nvml.nvmlShutdown()
        except self._nvml.NVMLError:
            pass  # it is over anyway

    def _add(self, number: int) -> None:
        nvml = self._nvml
        try:
            handle = nvml.nvmlDeviceGetHandleByIndex(number)
        except nvml.NVMLError as wrong:
            if wrong.value != NO_PERMISSION:  # those that are another job's are counted, too
                self._lost.add(number)
            return
        devices = [Device(nvml, handle, f"gpu.{number}.", ALL)]
        for instance, part in _instances(nvml, handle):
            devices.append(Device(nvml, part, f"gpu.{number}.mig.{instance}.", ALL))
        self._cards[number] = devices


def _instances(nvml: ModuleType, handle: object) -> list[tuple[int, object]]:
    """Of MIG, with their numbers on the card; none where the card is whole, or has no such thing."""
    try:
        if not nvml.nvmlDeviceGetMigMode(handle)[0]:
            return []
        most = nvml.nvmlDeviceGetMaxMigDeviceCount(handle)
    except (nvml.NVMLError, AttributeError):
        return []
    found = []
    for number in range(most):
        try:
            found.append((number, nvml.nvmlDeviceGetMigDeviceHandleByIndex(handle, number)))
        except nvml.NVMLError:
            continue  # numbers without an instance
    return found
