"""The contestants beside us. Each runs inside the centre, under the tenant's own Unix account, in its own words."""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from demo.stage import Stage

from benchmarks.parts.centre import NAME, Requests, requests
from benchmarks.parts.figures import say

DRIVERS = Path(__file__).parent / "drivers"
WANTED = {"psij": "psij-python", "submitit": "submitit"}
TURN_SECONDS = 1800.0
PYTHON = "/usr/bin/python3"
"""Not ours, which may lie in a home that the tenants cannot enter."""


@dataclass(frozen=True, slots=True)
class Turn:
    """One contestant's one run: until all is completed, and until the last submission was answered."""

    seconds: float
    submit_seconds: float
    requests: Requests


class Peers:
    """Installed apart, below the stage's folder, where the centre's tenants can read."""

    def __init__(self, stage: Stage) -> None:
        self._centre = stage.lab.centres[NAME]
        self._folder = stage.folder / "peers"
        self._folder.mkdir(mode=0o755)
        for driver in DRIVERS.iterdir():
            if driver.is_file():
                shutil.copy(driver, self._folder)
                (self._folder / driver.name).chmod(0o644)
        self.versions = self._install()
        self._turns = 0

    @property
    def names(self) -> list[str]:
        return ["native", *self.versions]

    def run(self, name: str, account: str, jobs: int) -> Turn:
        self._turns += 1
        unique = f"{name}-{self._turns}"
        if name == "native":
            argv = ["bash", str(self._folder / "native.sh"), str(jobs), unique]
        else:
            argv = [str(self._folder / "env/bin/python"), str(self._folder / f"{name}_loop.py"), str(jobs), unique]
        before = requests(self._centre)
        done = self._centre.exec(argv, account=account, timeout=TURN_SECONDS)
        if done.returncode != 0:
            raise RuntimeError(f"{name}: {done.stderr[-2000:]}{done.stdout[-500:]}")
        seen = requests(self._centre).since(before)
        whole, submitting = (int(word) / 1e6 for word in done.stdout.split()[-2:])
        self._centre.exec(["rm", "-rf", unique, ".psij"], account=account)
        return Turn(whole, submitting, seen)

    def _install(self) -> dict[str, str]:
        """Versions by name; empty where the package index cannot be reached: the rest is measured all the same."""
        python = self._folder / "env/bin/python"
        environment = dict(os.environ) | {"UV_LINK_MODE": "copy"}
        for argv in (
            ["uv", "venv", "-q", "--python", PYTHON, str(self._folder / "env")],
            ["uv", "pip", "install", "-q", "--compile-bytecode", "--python", str(python), *WANTED.values()],
        ):
            done = subprocess.run(argv, env=environment, capture_output=True, text=True, check=False)
            if done.returncode != 0:
                say(f"The peers cannot be installed, so only the native loop is beside us: {done.stderr[-500:]}")
                return {}
        ask = "import importlib.metadata as m, sys; print(*(m.version(one) for one in sys.argv[1:]))"
        told = subprocess.run([python, "-c", ask, *WANTED.values()], capture_output=True, text=True, check=True).stdout
        return dict(zip(WANTED, told.split(), strict=True))
