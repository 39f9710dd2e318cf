"""Where a job's output goes: sbatch's file name patterns, written by the script itself as it starts. Grid Engine's own
-o would know neither %x nor widths, takes colons, commas and dollars as its own, and stops a job in error (Eqw) where a
file cannot be opened."""

import re
import shlex

from paracloud.dialects.batch_script import from_home
from paracloud.dialects.records import Request

_MARK = re.compile(r"%(%|([0-9]{0,9})([AaJjNnstux]))")
_WIDTH_MOST = 10
_NO_INDEX = "4294967294"
"""What Slurm writes for %a where the job is no array."""


def redirection(request: Request) -> str:
    """Shell that sends what comes after it to the job's files, and ends the job where they cannot be written."""
    sign = ">" if request.extra.get("open-mode") == "truncate" else ">>"
    error = "2>&1" if request.error is None else f"2{sign}{_file(request, request.error)}"
    return (
        f"if ! exec {sign}{_file(request, request.output)} {error}; then\n"
        '  echo "paracloud: the output files cannot be written. Nothing was run." >&2\n'
        "  exit 73\nfi\n"
    )


def folders(request: Request) -> list[str]:
    """The work directory, and below it those of the outputs; one named by a pattern is not known before."""
    parents = [pattern.rpartition("/")[0] for pattern in (request.output, request.error) if pattern]
    below = [one for one in dict.fromkeys(parents) if one and "%" not in one and not one.startswith("/")]
    return [request.work_directory, *(f"{request.work_directory}/{one}" for one in below)]


def _file(request: Request, pattern: str) -> str:
    words, at = [], 0
    for mark in _MARK.finditer(pattern):
        words += [_quoted(pattern[at : mark.start()]), _value(request, mark)]
        at = mark.end()
    name = "".join([*words, _quoted(pattern[at:])])
    return name if pattern.startswith("/") else f"{from_home(request.work_directory)}/{name}"


def _value(request: Request, mark: re.Match[str]) -> str:
    if mark[1] == "%":
        return "%"
    kind, width = mark[3], min(int(mark[2] or 0), _WIDTH_MOST)
    values = {
        "j": '"$SLURM_JOB_ID"',
        "J": '"$SLURM_JOB_ID".batch',
        "A": '"$JOB_ID"',
        "a": '"$SLURM_ARRAY_TASK_ID"' if request.array is not None else _NO_INDEX,
        "x": _quoted(request.name.replace("/", "_").replace("\\", "_")),
        "u": '"$(id -un)"',
        "N": '"${HOSTNAME%%.*}"',
        "n": "0",
        "t": "0",
        "s": "batch",
    }
    if width and kind in "jAant":
        return f'"$(printf %0{width}d {values[kind]})"'
    return values[kind]


def _quoted(text: str) -> str:
    return shlex.quote(text) if text else ""
