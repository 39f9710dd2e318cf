"""paramon where NVIDIA's driver hangs: in the first question, and once more where its library ends with the process."""

import ctypes
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parent / "nvml"))

import pynvml

from paramon import machine
from paramon.cli import main
from paramon.leave import leave
from paramon.sensors.gpu import gpus

LIBRARY = ctypes.CDLL(None)


def _hangs():
    LIBRARY.__cxa_atexit(ctypes.cast(LIBRARY.pause, ctypes.c_void_p), None, None)
    LIBRARY.pause()


pynvml.nvmlInit = _hangs
with TemporaryDirectory() as dev:
    Path(dev, "nvidiactl").touch()
    machine.MAKERS = [("gpu", lambda: gpus(dev))]
    code = main()
leave(code)
