"""The batch script that a job runs as under Slurm."""

import re
from collections.abc import Iterator

from paracloud.dialects.batch_script import batch_script, check, require
from paracloud.dialects.records import Request
from paracloud.dialects.slurm.directive import directive, passed_through
from paracloud.dialects.slurm.text import wall_text
from paracloud.dialects.tags import native_name

DEPENDENCY_KINDS = ("after", "afterok", "afternotok", "afterany", "aftercorr")
_MIB = 1 << 20


def script(request: Request) -> str:
    """Raises Invalid, TooLarge or Unsupported, with the name of the field, for what sbatch cannot be told."""
    check(request)
    return batch_script(request, "slurm", _directives(request))


def _directives(request: Request) -> Iterator[str]:
    yield directive("job-name", native_name(request.tag))
    yield directive("chdir", request.work_directory)
    yield directive("partition", request.queue)
    yield directive("ntasks", str(request.tasks))
    yield directive("cpus-per-task", str(request.cores_per_task))
    yield directive("time", wall_text(request.wall_limit))
    yield directive("output", _file_name(request.output, request.name))
    if request.error is not None:
        yield directive("error", _file_name(request.error, request.name))
    yield from _sizes(request)
    if request.exclusive:
        yield directive("exclusive")
    if request.array is not None:
        yield directive("array", request.array)
    if request.depends_on:
        yield directive("dependency", ",".join(_dependency(kind, str(job)) for kind, job in request.depends_on))
    yield directive("requeue" if request.requeue else "no-requeue")
    if request.hold:
        yield directive("hold")
    if "open-mode" not in request.extra:
        # A duplicate's start must not empty the file that the first one writes.
        yield directive("open-mode", "append")
    for option in sorted(request.extra):
        yield passed_through(option, request.extra[option])


def _sizes(request: Request) -> Iterator[str]:
    if request.nodes is not None:
        yield directive("nodes", str(request.nodes))
    if request.tasks_per_node is not None:
        yield directive("ntasks-per-node", str(request.tasks_per_node))
    if request.memory_per_node_bytes is not None:
        yield directive("mem", f"{-(-request.memory_per_node_bytes // _MIB)}M")
    if request.memory_per_core_bytes is not None:
        yield directive("mem-per-cpu", f"{-(-request.memory_per_core_bytes // _MIB)}M")
    if request.gpus_per_node:
        model = f"{request.gpu_model}:" if request.gpu_model else ""
        yield directive("gres", f"gpu:{model}{request.gpus_per_node}")


def _dependency(kind: str, job: str) -> str:
    require(kind in DEPENDENCY_KINDS, "depends_on", "one of " + ", ".join(DEPENDENCY_KINDS))
    require(job.isascii() and job.isdigit(), "depends_on", "a native job number")
    return f"{kind}:{job}"


def _file_name(pattern: str, name: str) -> str:
    """Slurm's own name of the job is the tag's, so the user's is written in for %x."""
    visible = name.replace("/", "_").replace("\\", "_").replace("%", "%%")
    return re.sub(r"%%|%\d*x", lambda found: "%%" if found[0] == "%%" else visible, pattern)
