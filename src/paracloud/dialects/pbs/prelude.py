"""What a job in sbatch form finds as it would under Slurm: its variables, and its output in files of its own while it
runs. PBS copies a job's output only when it has ended, and knows no patterns.

Only variables that Slurm itself defines (man sbatch, OUTPUT ENVIRONMENT VARIABLES) are made."""

import re
import shlex
from collections.abc import Iterator

from paracloud.dialects.pbs.layout import Chunk, chunks, is_anywhere
from paracloud.dialects.records import Request
from paracloud.dialects.srun import install

_MIB = 1 << 20
_NO_INDEX = "4294967294"
_PATTERN = re.compile(r"%(%|([0-9]{0,9})([AaJjNnstux]))")
_WIDTH_MOST = 10
_PART = re.compile(r"(\d+)(?:-(\d+)(?::(\d+))?)?", re.ASCII)

# Torque 2 writes 123-4 for a task of an array, later ones and OpenPBS 123[4].
_JOB = r"""
paracloud_number=${PBS_JOBID%%[!0-9]*}
export SLURM_JOB_ID=$paracloud_number
"""
_TASK = r"""
paracloud_number=${PBS_JOBID%%[!0-9]*}
export SLURM_ARRAY_JOB_ID=$paracloud_number SLURM_ARRAY_TASK_ID=${PBS_ARRAY_INDEX:-$PBS_ARRAYID}
# Each task has a number of its own under Slurm: scratch folders and ports are made of it.
printf -v SLURM_JOB_ID '%s%07d' "$paracloud_number" "$SLURM_ARRAY_TASK_ID"
export SLURM_JOB_ID
"""
_NODES = r"""
export SLURM_JOBID=$SLURM_JOB_ID SLURM_JOB_USER=${PBS_O_LOGNAME:-$LOGNAME} SLURM_SUBMIT_HOST=$PBS_O_HOST
export SLURM_JOB_PARTITION=$PBS_QUEUE
SLURM_JOB_NODELIST=$(
  awk '{ sub(/\..*/, "") } !seen[$0]++ { printf "%s%s", mark, $0; mark = "," }' "$PBS_NODEFILE" 2>/dev/null
)
[ -n "$SLURM_JOB_NODELIST" ] || SLURM_JOB_NODELIST=${HOSTNAME%%.*}
SLURM_JOB_NUM_NODES=${SLURM_JOB_NODELIST//[!,]/}
SLURM_JOB_NUM_NODES=$((${#SLURM_JOB_NUM_NODES} + 1))
export SLURM_JOB_NODELIST SLURM_JOB_NUM_NODES SLURM_NODELIST=$SLURM_JOB_NODELIST SLURM_NNODES=$SLURM_JOB_NUM_NODES
export SLURMD_NODENAME=${SLURM_JOB_NODELIST%%,*}
# MPI finds PBS by itself, and would take these variables for a Slurm that is there.
export OMPI_MCA_plm=^slurm OMPI_MCA_ras=^slurm PRTE_MCA_plm=^slurm PRTE_MCA_ras=^slurm
export I_MPI_HYDRA_BOOTSTRAP=ssh I_MPI_HYDRA_RMK=pbs HYDRA_BOOTSTRAP=ssh HYDRA_RMK=pbs
"""
_SRUN = install("PBS", own="PBS_*", hosts="PBS_NODEFILE")
_OPEN = r"""
paracloud_open() {
  mkdir -p -- "${1%/*}" 2>/dev/null
  { : @MODE@"$1"; } 2>/dev/null && return
  echo "paracloud: cannot write $1; is the home directory full? Nothing was run." >&2
  exit 73
}
paracloud_pad() {
  local text=$2
  while [ ${#text} -lt "$1" ]; do text=0$text; done
  printf %s "$text"
}
"""


def prelude(request: Request) -> str:
    """Shell for the beginning of the batch script."""
    facts = "".join(f"export {name}={shlex.quote(value)}\n" for name, value in _facts(request))
    return (_JOB if request.array is None else _TASK) + _NODES + facts + _outputs(request) + _SRUN


def _facts(request: Request) -> Iterator[tuple[str, str]]:
    """What is known before the job starts."""
    yield from (("SLURM_NTASKS", str(request.tasks)), ("SLURM_NPROCS", str(request.tasks)))
    yield "SLURM_CPUS_PER_TASK", str(request.cores_per_task)
    yield from ((f"SLURM_{name}ID", "0") for name in ("PROC", "LOCAL", "NODE"))
    if request.tasks_per_node is not None:
        yield "SLURM_NTASKS_PER_NODE", str(request.tasks_per_node)
    if request.memory_per_node_bytes is not None:
        yield "SLURM_MEM_PER_NODE", str(-(-request.memory_per_node_bytes // _MIB))
    if request.memory_per_core_bytes is not None:
        yield "SLURM_MEM_PER_CPU", str(-(-request.memory_per_core_bytes // _MIB))
    if request.gpus_per_node:
        yield "SLURM_GPUS_ON_NODE", str(request.gpus_per_node)
    if not is_anywhere(request):
        laid_out = chunks(request)
        yield "SLURM_TASKS_PER_NODE", ",".join(_many(part.tasks, part) for part in laid_out)
        yield "SLURM_JOB_CPUS_PER_NODE", ",".join(_many(part.cores, part) for part in laid_out)
        yield "SLURM_CPUS_ON_NODE", str(laid_out[0].cores)
    if request.array is not None:
        yield from _of_array(request.array)


def _many(each: int, part: Chunk) -> str:
    return f"{each}(x{part.count})" if part.count > 1 else str(each)


def _of_array(text: str) -> Iterator[tuple[str, str]]:
    parts = [found.groups() for found in _PART.finditer(text.partition("%")[0])]
    ranges = [range(int(first), int(last or first) + 1, int(step or 1) or 1) for first, last, step in parts]
    yield "SLURM_ARRAY_TASK_MIN", str(min(one[0] for one in ranges if one))
    yield "SLURM_ARRAY_TASK_MAX", str(max(one[-1] for one in ranges if one))
    yield "SLURM_ARRAY_TASK_STEP", str(ranges[0].step)
    yield "SLURM_ARRAY_TASK_COUNT", str(sum(map(len, ranges)))


def _outputs(request: Request) -> str:
    mode = ">" if request.extra.get("open-mode") == "truncate" else ">>"
    lines = [_OPEN.replace("@MODE@", mode)]
    lines += [f"paracloud_output={_path(request, request.output)}\n", 'paracloud_open "$paracloud_output"\n']
    if request.error is None:
        lines.append(f'exec {mode}"$paracloud_output" 2>&1\n')
    else:
        lines += [f"paracloud_error={_path(request, request.error)}\n", 'paracloud_open "$paracloud_error"\n']
        lines.append(f'exec {mode}"$paracloud_output" 2{mode}"$paracloud_error"\n')
    return "".join(lines)


def _path(request: Request, pattern: str) -> str:
    """One shell word: the user's texts in quotes, sbatch's marks (man sbatch, "filename pattern") as variables."""
    words: list[str | re.Match[str]] = []
    at = 0
    for found in _PATTERN.finditer(pattern):
        words += [pattern[at : found.start()], found]
        at = found.end()
    name = "".join(_word(request, one) for one in [*words, pattern[at:]])
    if pattern.startswith("/"):
        return name
    directory = shlex.quote(request.work_directory)
    return (directory if request.work_directory.startswith("/") else f'"$HOME"/{directory}') + f"/{name}"


def _word(request: Request, one: str | re.Match[str]) -> str:
    if isinstance(one, str):
        return shlex.quote(one) if one else ""
    if one[1] == "%":
        return "%"
    is_array = request.array is not None
    text = {
        "j": '"$SLURM_JOB_ID"',
        "J": '"$SLURM_JOB_ID".batch',
        "A": '"$paracloud_number"',
        "a": '"$SLURM_ARRAY_TASK_ID"' if is_array else _NO_INDEX,
        "x": shlex.quote(request.name.replace("/", "_").replace("\\", "_")),
        "u": '"$SLURM_JOB_USER"',
        "N": '"$SLURMD_NODENAME"',
        "n": "0",
        "t": "0",
        "s": "batch",
    }[one[3]]
    width = min(int(one[2] or 0), _WIDTH_MOST)
    return f'"$(paracloud_pad {width} {text})"' if width and one[3] in "jAant" else text
