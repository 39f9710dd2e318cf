"""The batch script that a job in sbatch form runs as under PBS."""

import re
import shlex
from collections.abc import Iterator
from itertools import takewhile

from paracloud.dialects.batch_script import GUARD_FOLDER, batch_script, check, require
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.prelude import prelude
from paracloud.dialects.pbs.text import wall_text
from paracloud.dialects.records import Request
from paracloud.dialects.tags import native_name
from paracloud.kit.errors import Unsupported

DEPENDENCY_KINDS = ("after", "afterok", "afternotok", "afterany")
_QUEUE = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}", re.ASCII)
_JOB = re.compile(r"\d{1,18}(\[\])?", re.ASCII)
_BEGIN = re.compile(r"(\d{4})-(\d{2})-(\d{2})(?:T(\d{2}):(\d{2})(?::(\d{2}))?)?", re.ASCII)
_NICE = re.compile(r"-?\d{1,4}", re.ASCII)
_FOLDERS = "#PARACLOUD folders "


def script(flavour: Flavour, request: Request) -> str:
    """Raises Invalid, TooLarge or Unsupported, with the name of the field, for what PBS cannot be told."""
    check(request)
    head = [f"#PBS {option}" for option in _options(flavour, request)]
    return batch_script(request, "pbs", [*head, _folders(request)], native=prelude(request))


def folders_of(text: str) -> list[str]:
    """The folders that a script of ours needs before it starts. ValueError for any other script."""
    for line in takewhile(lambda line: line.startswith("#"), text.split("\n")):
        if line.startswith(_FOLDERS):
            return shlex.split(line.removeprefix(_FOLDERS))
    raise ValueError("the script names no folders: make it with script()")


def _options(flavour: Flavour, request: Request) -> Iterator[str]:
    require(bool(_QUEUE.fullmatch(request.queue)), "queue", "one word")
    yield f"-N {native_name(request.tag)}"
    yield f"-q {request.queue}"
    yield from flavour.resources(request)
    yield f"-l walltime={wall_text(request.wall_limit)}"
    if request.array is not None:
        yield flavour.array(request.array)
    if request.depends_on:
        yield "-W depend=" + ",".join(_dependency(flavour, kind, job) for kind, job in request.depends_on)
    yield f"-r {'y' if request.requeue else 'n'}"
    if request.hold:
        yield "-h"
    yield from ("-m n", "-S /bin/bash", "-j oe")
    # What the job itself writes goes to its own files at once (prelude); here is only what PBS has to say besides.
    yield f"-o {GUARD_FOLDER}/{request.tag}/pbs.out"
    for option in sorted(request.extra):
        yield from _extra(option, request.extra[option])


def _extra(option: str, value: str) -> Iterator[str]:
    if option == "begin" and (found := _BEGIN.fullmatch(value)):
        year, month, day, hour, minute, second = found.groups("00")
        yield f"-a {year}{month}{day}{hour}{minute}.{second}"
    elif option == "nice" and _NICE.fullmatch(value) and abs(int(value)) < 1024:
        yield f"-p {-int(value)}"
    elif (option, value) not in _MEANT_ANYWAY:
        raise Unsupported(
            f"--{option} cannot be said to this centre's PBS; remove it, or choose a centre with Slurm.",
            f"该中心的 PBS 不支持 --{option}，请删除该选项，或改用 Slurm 中心。",
            field=option,
        )


_MEANT_ANYWAY = frozenset({("kill-on-invalid-dep", "yes"), ("open-mode", "append"), ("open-mode", "truncate")})
"""PBS itself deletes a job whose dependency failed; the prelude opens the outputs."""


def _dependency(flavour: Flavour, kind: str, job: str) -> str:
    require(kind in DEPENDENCY_KINDS, "depends_on", "one of " + ", ".join(DEPENDENCY_KINDS))
    require(bool(_JOB.fullmatch(job)), "depends_on", "a native job number")
    return f"{flavour.array_kind(kind) if job.endswith('[]') else kind}:{job}"


def _folders(request: Request) -> str:
    require(request.work_directory.isprintable(), "work_directory", "a path on one line")
    parents = [name.rpartition("/")[0] for name in (request.output, request.error or "")]
    below = [one for one in dict.fromkeys(parents) if one and "%" not in one and not one.startswith("/")]
    places = [request.work_directory, *(f"{request.work_directory}/{one}" for one in below)]
    require(all(one.isprintable() for one in places), "output", "a path on one line")
    return _FOLDERS + " ".join(shlex.quote(one) for one in places)
