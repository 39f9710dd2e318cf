"""What a job's script does to be watched: the collector beside it, which is nobody's parent, child or output.

The collector is one file under the account's home, and any Python from 3.9 on runs it. Where one of them is missing, or
anything else is wrong, the job runs as it would without.
"""

from paracloud.dialects.records import Request

COLLECTORS = ".paracloud/paramon"
"""Folder under the account's home, with one file for each version of the collector."""
PROFILE = "profile"
"""Folder in the guard's of the tag; of an array, with one folder a task in it."""

# Two forks: the script has no child that it did not start. The user's own PATH is not in force yet.
_BESIDE = """\
paracloud_python=$(type -P python3) paracloud_collector=$HOME/{folder}/{name}
export PARAMON_JOB={tag}${{SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}}
if [ -n "$paracloud_python" ] && [ -r "$paracloud_collector" ]; then
  ("$paracloud_python" -I "$paracloud_collector" watch --pid $$ --mark "PARAMON_JOB=$PARAMON_JOB" \\
    --folder "$paracloud_folder/{profile}${{SLURM_ARRAY_TASK_ID:+/$SLURM_ARRAY_TASK_ID}}" --job "$SLURM_JOB_ID" \\
    --node "${{SLURMD_NODENAME:-}}" </dev/null >/dev/null 2>&1 &)
fi
"""


def beside(request: Request) -> str:
    """Nothing for a job that is not to be watched, or for which there is no collector."""
    if not (request.is_monitored and request.collector):
        return ""
    return _BESIDE.format(folder=COLLECTORS, name=request.collector, tag=request.tag, profile=PROFILE)
