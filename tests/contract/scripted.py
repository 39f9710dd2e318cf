"""The schedulers whose scripts the contract suite runs, each as its own scheduler would start them."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypeAlias

from tests.paracloud.dialects.gridengine import started as gridengine
from tests.paracloud.dialects.pbs import started as pbs
from tests.paracloud.dialects.slurm import started as slurm

from paracloud.dialects.dialect import Dialect
from paracloud.dialects.gridengine.dialect import GridEngineDialect
from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.dialects.records import Request
from paracloud.dialects.slurm.dialect import SlurmDialect

Ended: TypeAlias = subprocess.CompletedProcess[str]
REQUEST = Request(
    tag="0123456789abcdef0123456789abcdef",
    name="melt",
    script="#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=1,
    cores_per_task=1,
    wall_limit=timedelta(hours=1, minutes=30),
    output="out.txt",
)


@dataclass(frozen=True, slots=True)
class Scripted:
    name: str
    dialect: Callable[[], Dialect]
    mark: str
    """How a line begins that the scheduler reads."""
    run: Callable[[Path, Request, str], Ended]
    """By the number of the job; what the job printed is in `stdout`, what the scheduler heard in `stderr`."""

    def start(self, home: Path, job: str = "41000", **changes) -> Ended:
        return self.run(home, replace(REQUEST, **changes), job)

    def head(self, **changes) -> list[str]:
        lines = self.dialect().script(replace(REQUEST, **changes)).splitlines()
        return [line for line in lines if line.startswith(self.mark)]


def _pbs(make: Callable[[], Dialect]) -> Callable[[Path, Request, str], Ended]:
    def run(home: Path, request: Request, job: str) -> Ended:
        done = pbs.start(home, request, make, job=f"{job}.pbs1")
        file = home / request.work_directory / request.output
        return subprocess.CompletedProcess([], done.returncode, file.read_text() if file.is_file() else "", done.stderr)

    return run


SCRIPTED = (
    Scripted("slurm", SlurmDialect, "#SBATCH ", slurm.start),
    Scripted("gridengine", GridEngineDialect, "#$ ", gridengine.start),
    Scripted("openpbs", openpbs, "#PBS ", _pbs(openpbs)),
    Scripted("torque", torque, "#PBS ", _pbs(torque)),
)
