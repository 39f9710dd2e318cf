"""What a job's script does to be watched: the collector beside it, which is nobody's parent, child or output.

The collector is one file under the account's home, and any Python from 3.9 on runs it. Where one of them is missing, or
anything else is wrong, the job runs as it would without. On a job's other nodes the collector itself has the scheduler
start one more, on each (`paramon.others`); where it cannot be had, the first node's profile says why. What belongs to
the job there is known by the job's number, which all of its processes carry.
"""

from paracloud.dialects.records import Request

COLLECTORS = ".paracloud/paramon"
"""Folder under the account's home, with one file for each version of the collector."""
PROFILE = "profile"
"""Folder in the guard's of the tag; of an array, with one folder a task in it."""

# Two forks: the script has no child that it did not start. The user's own PATH is not in force yet. The first that is
# found is called: where it is too old, the collector finds another one by itself.
_BESIDE = """\
paracloud_python=$(type -P python3 python3.13 python3.12 python3.11 python3.10 python3.9)
paracloud_python=${{paracloud_python%%$'\\n'*}} paracloud_collector=$HOME/{folder}/{name}
if [ -n "$paracloud_python" ] && [ -r "$paracloud_collector" ]; then
  ("$paracloud_python" -I "$paracloud_collector" watch --pid $$ --mark "SLURM_JOB_ID=$SLURM_JOB_ID" \\
    --folder "$paracloud_folder/{profile}${{SLURM_ARRAY_TASK_ID:+/$SLURM_ARRAY_TASK_ID}}" \\
    --scheduler {scheduler} --node "${{SLURMD_NODENAME:-}}" </dev/null >/dev/null 2>&1 &)
fi
"""


def beside(request: Request, scheduler: str) -> str:
    """Nothing for a job that is not to be watched, or for which there is no collector. `scheduler`: as the collector
    calls it."""
    if not (request.is_monitored and request.collector):
        return ""
    return _BESIDE.format(folder=COLLECTORS, name=request.collector, scheduler=scheduler, profile=PROFILE)
