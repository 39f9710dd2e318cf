"""Scripts as Grid Engine starts them, in a real bash."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

from paracloud.dialects.gridengine.script import script
from paracloud.dialects.records import Request

TAG = "0123456789abcdef0123456789abcdef"
PLAIN = Request(
    tag=TAG,
    name="melt",
    script="#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=1,
    cores_per_task=1,
    wall_limit=timedelta(hours=1, minutes=30),
    output="out.txt",
)
HOSTILE = """it's "q" $(touch pwned) `touch pwned` | & ; < > * ? ~ # ! \\ 中文 %x"""


def process(home: Path, request: Request, job="41000", **variables: str) -> subprocess.Popen[str]:
    (home / request.work_directory).mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "JOB_ID": job, "NSLOTS": "1", **variables}
    (home / "script").write_text(script(request))
    return subprocess.Popen(
        ["/bin/bash", home / "script"],
        env={"SGE_TASK_ID": "undefined", **environment},
        cwd=home,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )


def start(home: Path, request: Request, job="41000", **variables: str) -> subprocess.CompletedProcess[str]:
    """Its output is what went to the job's own file."""
    done = process(home, request, job, **variables)
    _, said = done.communicate(timeout=30)
    file = home / request.work_directory / request.output
    return subprocess.CompletedProcess([], done.returncode, file.read_text() if file.is_file() else "", said)


def task(number: int, last: int = 9) -> dict[str, str]:
    values = {"ID": number, "FIRST": 1, "LAST": last, "STEPSIZE": 1}
    return {f"SGE_TASK_{name}": str(value) for name, value in values.items()}
