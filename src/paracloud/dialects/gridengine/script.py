"""The batch script that a job in sbatch's form runs as under Grid Engine."""

import json
import re
from collections.abc import Iterator
from datetime import timedelta
from itertools import takewhile

from paracloud.dialects.batch_script import GUARD_FOLDER, batch_script, check, require
from paracloud.dialects.gridengine import arrays, outputs
from paracloud.dialects.gridengine.options import options, unsupported, warning
from paracloud.dialects.gridengine.prelude import prelude, runner
from paracloud.dialects.gridengine.shape import resources, slots
from paracloud.dialects.records import Request
from paracloud.dialects.tags import native_name
from paracloud.kit.errors import Unsupported

FOLDERS, PARALLEL = "#paracloud-folders ", "#paracloud-parallel "
"""Lines for the guard: a list in JSON, and the rule, slots and queue of a job that needs a parallel environment."""
DEPENDENCY_KINDS = ("afterany", "afterok", "afternotok")
_WORD = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}")


def script(request: Request) -> str:
    """Raises Invalid, TooLarge or Unsupported, with the name of the field, for what Grid Engine cannot be told."""
    check(request)
    before = prelude(request, outputs.redirection(request)) + runner(warning(request))
    return batch_script(request, "gridengine", _head(request), before, "paracloud_run")


def folders_of(text: str) -> list[str]:
    """The folders that a script of ours needs before it starts. ValueError for any other script."""
    lines = takewhile(lambda line: line.startswith("#"), text.split("\n"))
    found = next((line.removeprefix(FOLDERS) for line in lines if line.startswith(FOLDERS)), None)
    if found is None:
        raise ValueError("the script names no work directory: make it with script()")
    return [str(folder) for folder in json.loads(found)]


def _head(request: Request) -> Iterator[str]:
    require(request.work_directory.isprintable(), "work_directory", "one line without control characters")
    for field in ("output", "error"):
        pattern = getattr(request, field)
        require(pattern is None or (bool(pattern) and pattern.isprintable()), field, "a path on one line")
    yield from (f"#$ {option}" for option in _options(request))
    taken = slots(request)
    if taken.rule is not None:
        # Which parallel environment spreads slots so, only the centre knows.
        yield f"{PARALLEL}{taken.rule} {taken.number} {request.queue}"
    yield FOLDERS + json.dumps(outputs.folders(request))
    if comment := request.extra.get("comment"):
        yield f"# {comment}"


def _options(request: Request) -> Iterator[str]:
    require(bool(_WORD.fullmatch(request.queue)), "partition", "one word")
    yield f"-N {native_name(request.tag)}"
    yield f"-q {request.queue}"
    yield "-S /bin/bash"
    # What the script says before it has opened the job's own files.
    yield f"-j y -o $HOME/{GUARD_FOLDER}/{request.tag}/said"
    # What no node could ever run is refused at once, as by Slurm, instead of waiting for ever.
    yield "-w e"
    yield "-m n"
    yield f"-r {'y' if request.requeue else 'n'}"
    yield f"-l h_rt={-(-request.wall_limit // timedelta(seconds=1))}"
    yield from (f"-l {resource}" for resource in resources(request))
    if request.exclusive:
        raise unsupported("exclusive")
    if request.array is not None:
        yield from arrays.options(request.array)
    if request.depends_on:
        yield "-hold_jid " + ",".join(_dependency(kind, str(job)) for kind, job in request.depends_on)
    if request.hold:
        yield "-h"
    yield from options(request.extra)


def _dependency(kind: str, job: str) -> str:
    require(job.isascii() and job.isdigit(), "depends_on", "a native job number")
    if kind not in DEPENDENCY_KINDS:
        raise Unsupported(
            f"Grid Engine cannot wait for a job's start or task ({kind[:40]!r}); use {', '.join(DEPENDENCY_KINDS)}.",
            f"Grid Engine 无法等待作业开始或单个任务（{kind[:40]!r}）；请使用 {'、'.join(DEPENDENCY_KINDS)}。",
            field="depends_on",
        )
    return job
