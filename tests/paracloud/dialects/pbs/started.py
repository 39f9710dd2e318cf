"""Scripts as PBS starts them, in a real bash."""

import os
import subprocess
from dataclasses import replace
from datetime import timedelta

from paracloud.dialects.pbs.dialect import openpbs
from paracloud.dialects.pbs.script import folders_of
from paracloud.dialects.records import Request

TAG = "0123456789abcdef0123456789abcdef"
PLAIN = Request(
    tag=TAG,
    name="melt",
    script="#!/bin/bash\necho ran in $SLURM_JOB_ID\n",
    work_directory="paracloud/one",
    queue="cpu",
    tasks=4,
    cores_per_task=2,
    wall_limit=timedelta(hours=25, minutes=30, milliseconds=1),
)
ON_NODES = replace(PLAIN, nodes=2)
HOSTILE = """it's "q" $(touch pwned) `touch pwned` | & ; < > * ? ~ # ! \\ 中文 %x"""


def start(home, request, make=openpbs, job="41000.pbs1", nodes=("n1.x", "n1.x", "n2.x"), **variables):
    for folder in folders_of(make().script(request)):
        (home / folder).mkdir(parents=True, exist_ok=True)
    (home / "nodes").write_text("".join(f"{node}\n" for node in nodes))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(home),
        "PBS_JOBID": job,
        "PBS_QUEUE": "cpu",
        "PBS_NODEFILE": str(home / "nodes"),
        "PBS_O_HOST": "login1",
        "PBS_O_LOGNAME": "alice",
        **variables,
    }
    return subprocess.run(
        ["/bin/bash"],
        input=make().script(request),
        env=environment,
        cwd=home,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
