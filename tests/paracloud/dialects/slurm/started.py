"""Scripts as Slurm starts them, in a real bash."""

import os
import subprocess
from datetime import timedelta
from pathlib import Path

from paracloud.dialects.records import Request
from paracloud.dialects.slurm.script import script

TAG = "0123456789abcdef0123456789abcdef"
PLAIN = Request(
    tag=TAG,
    name="melt",
    script="#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=4,
    cores_per_task=2,
    wall_limit=timedelta(hours=1, minutes=30),
)
HOSTILE = """it's "q" $(touch pwned) `touch pwned` | & ; < > * ? ~ # ! \\ 中文 %x"""


def start(home: Path, request: Request, job="41000", **variables: str) -> subprocess.CompletedProcess[str]:
    (home / request.work_directory).mkdir(parents=True, exist_ok=True)
    environment = {"PATH": os.environ["PATH"], "HOME": str(home), "SLURM_JOB_ID": job, **variables}
    return subprocess.run(
        ["/bin/bash"],
        input=script(request),
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
