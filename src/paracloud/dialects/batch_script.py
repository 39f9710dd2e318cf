"""The batch script that a job runs as, whatever the scheduler: its own directives, run marker, environment, and the
user's own script, unchanged."""

import hashlib
import re
import shlex
from collections.abc import Iterable, Mapping

from paracloud.dialects.monitor import beside
from paracloud.dialects.records import Request
from paracloud.dialects.tags import is_tag
from paracloud.kit.errors import Invalid, TooLarge

SCRIPT_LIMIT_BYTES = 4_000_000
"""Below Slurm's own limit of 4 MiB (SchedulerParameters max_script_size), with room for what is added."""
GUARD_FOLDER = ".paracloud/jobs"
"""Under the account's home; one folder a tag."""

_ARRAY = re.compile(r"\d{1,7}(-\d{1,7}(:\d{1,7})?)?(,\d{1,7}(-\d{1,7}(:\d{1,7})?)?)*(%\d{1,7})?", re.ASCII)
_WORD = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,255}")
_SHELLS_OWN = frozenset({"BASHOPTS", "BASH_VERSINFO", "EUID", "PPID", "SHELLOPTS", "UID"})

# The job's first act. The link is made by one system call, so of two jobs with one tag only one can have it; the
# text of the link lets a requeued job know its own. A duplicate ends well, having done nothing.
_MARKER = """\
paracloud_folder=$HOME/{folder}/{tag}
[ -d "$paracloud_folder" ] || (umask 077; mkdir -p "$paracloud_folder")
paracloud_run=$paracloud_folder/run${{SLURM_ARRAY_TASK_ID:+.$SLURM_ARRAY_TASK_ID}}
if ! ln -s "$SLURM_JOB_ID" "$paracloud_run" 2>/dev/null; then
  paracloud_owner=$(readlink "$paracloud_run")
  if [ -z "$paracloud_owner" ]; then
    echo "paracloud: cannot write $paracloud_run; is the home directory full? Nothing was run." >&2
    exit 73
  elif [ "$paracloud_owner" != "$SLURM_JOB_ID" ]; then
    echo "paracloud: job $paracloud_owner runs this already; $SLURM_JOB_ID is a duplicate and runs nothing." >&2
    exit 0
  fi
fi
"""
_PLACE = """\
if ! cd -- {directory}; then
  echo "paracloud: the work directory cannot be entered. Nothing was run." >&2
  exit 73
fi
export SLURM_SUBMIT_DIR="$PWD"
"""
# The user's script goes into a file of its own, so that its interpreter reads it as it would anywhere. `read` to the
# NUL that no script has starts no process, and ends with status 1. The folder is closed to others, so the file is.
_PAYLOAD = """\
IFS= read -r -d '' paracloud_text <<'{end}'
{script}
{end}
printf %s "$paracloud_text" >"$paracloud_folder/{payload}"{rename} || {{
  echo "paracloud: cannot write the script to $paracloud_folder; is the home directory full? Nothing was run." >&2
  exit 73
}}
"""
_PLAIN = {"payload": "payload", "rename": ""}
# The tasks of an array write it at the same time, so it is renamed into place.
_OF_MANY = {
    "payload": "payload.$SLURM_JOB_ID",
    "rename": ' &&\n  mv -f -- "$paracloud_folder/payload.$SLURM_JOB_ID" "$paracloud_folder/payload"',
}


def batch_script(
    request: Request, scheduler: str, directives: Iterable[str], native: str = "", run: str = "exec"
) -> str:
    """`scheduler`: as the collector calls it. `directives`: the scheduler's own lines. `native`: shell that gives
    SLURM_JOB_ID, SLURM_ARRAY_TASK_ID and the like their values, where the scheduler does not; what comes after it
    relies on these two. `run`: a function of `native` that runs the user's script as a child and ends as it does, where
    something is left to do beside it."""
    head = ["#!/bin/bash", *directives, ""]
    marker = _MARKER.format(folder=GUARD_FOLDER, tag=request.tag)
    place = _PLACE.format(directory=from_home(request.work_directory))
    end = "PARACLOUD_" + hashlib.sha256(request.script.encode()).hexdigest()
    names = _PLAIN if request.array is None else _OF_MANY
    payload = _PAYLOAD.format(end=end, script=request.script.removesuffix("\n"), **names)
    start = f'{run} {_interpreter(request.script)} "$paracloud_folder/payload"\n'
    # The user's environment comes last: it may replace PATH, HOME or TMPDIR, which the steps above need as they are.
    exports = _exports(request.name, request.environment)
    return "\n".join(head) + native + marker + place + payload + beside(request, scheduler) + exports + start


def check(request: Request) -> None:
    """Raises Invalid or TooLarge, with the name of the field, for what no scheduler can be told."""
    encoded = request.script.encode(errors="replace")
    if len(encoded) > SCRIPT_LIMIT_BYTES:
        raise TooLarge(
            f"The script is larger than {SCRIPT_LIMIT_BYTES} bytes; put data into input files.",
            f"脚本超过 {SCRIPT_LIMIT_BYTES} 字节，请把数据放入输入文件。",
            field="script",
        )
    require("\0" not in request.script and _is_text(request.script), "script", "text, without NUL")
    require(is_tag(request.tag), "tag", "32 hexadecimal digits")
    require(bool(request.name) and request.name.isprintable(), "name", "one line without control characters")
    require(request.tasks > 0, "tasks", "at least 1")
    require(request.cores_per_task > 0, "cores_per_task", "at least 1")
    require(request.wall_limit.total_seconds() > 0, "wall_limit", "longer than nothing")
    require(request.gpus_per_node >= 0, "gpus_per_node", "0 or more")
    require(
        request.memory_per_node_bytes is None or request.memory_per_core_bytes is None,
        "memory_per_core_bytes",
        "left out where memory per node is given",
    )
    require(not request.collector or bool(_WORD.fullmatch(request.collector)), "collector", "one word")
    require(not request.gpu_model or bool(_WORD.fullmatch(request.gpu_model)), "gpu_model", "one word")
    require(request.array is None or bool(_ARRAY.fullmatch(request.array)), "array", "written like 0-9%4")
    for field in ("nodes", "tasks_per_node", "memory_per_node_bytes", "memory_per_core_bytes"):
        value = getattr(request, field)
        require(value is None or value > 0, field, "at least 1")


def from_home(directory: str) -> str:
    """The directory as a word of the script. Invalid for one that no script can be in."""
    # Slurm reads the output's whole path, this one included, as a pattern: % and \ would be taken for its marks.
    require(bool(directory) and not set("%\\").intersection(directory), "work_directory", "a path without % and \\")
    return shlex.quote(directory) if directory.startswith("/") else '"$HOME"/' + shlex.quote(directory)


def _exports(name: str, environment: Mapping[str, str]) -> str:
    lines = [f"export SLURM_JOB_NAME={shlex.quote(name)}"]
    for variable, value in environment.items():
        require(bool(_VARIABLE.fullmatch(variable)) and variable not in _SHELLS_OWN, "environment", "a variable's name")
        require("\0" not in value and _is_text(value), "environment", "text, without NUL")
        lines.append(f"export {variable}={shlex.quote(value)}")
    return "\n".join(lines) + "\n"


def _interpreter(text: str) -> str:
    """What the kernel would start: the interpreter and at most one argument (man execve)."""
    first = text.partition("\n")[0].rstrip()
    if not first.startswith("#!"):
        return "/bin/bash"
    program, _, argument = first[2:].strip().partition(" ")
    require(program.startswith("/"), "script", "a script whose first line names its interpreter by an absolute path")
    return " ".join(shlex.quote(word) for word in (program, argument.strip()) if word)


def _is_text(text: str) -> bool:
    return not any("\ud800" <= c <= "\udfff" for c in text)


def require(holds: bool, field: str, rule: str) -> None:  # noqa: FBT001
    if not holds:
        raise Invalid(f"{field} must be {rule}.", f"{field} 的值不合规则：{rule}。", field=field)
