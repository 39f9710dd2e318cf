"""The script is run by a real bash here, as a batch job's would be."""

import os
import subprocess
from dataclasses import replace

from tests.paracloud.dialects.slurm.started import PLAIN, start

from paracloud.dialects.slurm.script import script


def test_each_task_of_an_array_runs_once(tmp_path):
    runs = [start(tmp_path, PLAIN, f"4100{at}", SLURM_ARRAY_TASK_ID=str(at % 2)).stdout for at in range(4)]
    assert runs == ["ran in 41000\n", "ran in 41001\n", "", ""]


def test_a_missing_work_directory_runs_nothing_and_says_so(tmp_path):
    job = replace(PLAIN, work_directory="paracloud/gone")
    lost = script(job).replace('"$HOME"/paracloud/gone', '"$HOME"/nowhere')
    done = subprocess.run(
        ["/bin/bash"],
        input=lost,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), "SLURM_JOB_ID": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout, done.returncode) == ("", 73)
