"""What a job's script does under Grid Engine before the user's own runs: SLURM_* variables, dependencies, and a watcher
that brings it the signals that Grid Engine itself has no command for."""

from paracloud.dialects.records import Request
from paracloud.dialects.srun import install

_SRUN = install("Grid Engine", own="SGE_* | PE_HOSTFILE")

# A login's environment, as a job has it under Slurm. Job scripts and what they start are found by sbatch's names.
_ENVIRONMENT = r"""
[ ! -r /etc/profile ] || . /etc/profile >/dev/null 2>&1
set +e +u
export SLURM_JOB_ID=$JOB_ID SLURM_JOB_USER=$USER SLURM_JOB_UID=$UID SLURM_JOB_PARTITION=$QUEUE
export SLURM_SUBMIT_HOST=$SGE_O_HOST SLURM_CLUSTER_NAME=$SGE_CLUSTER_NAME SLURMD_NODENAME=${HOSTNAME%%.*}
export SLURM_NODEID=0 SLURM_PROCID=0 SLURM_LOCALID=0 SLURM_GTIDS=0 SLURM_TASK_PID=$$
[ "${RESTARTED:-0}" = 0 ] || export SLURM_RESTART_COUNT=$RESTARTED
paracloud_task=
if [ "${SGE_TASK_ID:-undefined}" != undefined ]; then
  paracloud_task=.$SGE_TASK_ID
  export SLURM_ARRAY_JOB_ID=$JOB_ID SLURM_ARRAY_TASK_ID=$((SGE_TASK_ID - 1)) SLURM_ARRAY_TASK_STEP=$SGE_TASK_STEPSIZE
  export SLURM_ARRAY_TASK_MIN=$((SGE_TASK_FIRST - 1)) SLURM_ARRAY_TASK_MAX=$((SGE_TASK_LAST - 1))
  export SLURM_ARRAY_TASK_COUNT=$(((SGE_TASK_LAST - SGE_TASK_FIRST) / SGE_TASK_STEPSIZE + 1))
  # Each task has a number of its own under Slurm: scratch folders and ports are made of it.
  printf -v SLURM_JOB_ID '%s%07d' "$JOB_ID" "$SGE_TASK_ID"
fi
export SLURM_JOBID=$SLURM_JOB_ID
paracloud_hosts=${HOSTNAME%%.*} paracloud_cores=$NSLOTS paracloud_tasks=$SLURM_NTASKS
if [ -r "${PE_HOSTFILE:-}" ]; then
  paracloud_hosts= paracloud_cores= paracloud_tasks=
  while read -r paracloud_host paracloud_slots _; do
    paracloud_hosts+=,${paracloud_host%%.*}
    paracloud_cores+=,$paracloud_slots
    paracloud_tasks+=,$((paracloud_slots / SLURM_CPUS_PER_TASK))
  done <"$PE_HOSTFILE"
  paracloud_hosts=${paracloud_hosts#,} paracloud_cores=${paracloud_cores#,} paracloud_tasks=${paracloud_tasks#,}
fi
export SLURM_JOB_NODELIST=$paracloud_hosts SLURM_NODELIST=$paracloud_hosts SLURM_TASKS_PER_NODE=$paracloud_tasks
export SLURM_JOB_CPUS_PER_NODE=$paracloud_cores SLURM_CPUS_ON_NODE=${paracloud_cores%%,*}
paracloud_hosts=${paracloud_hosts//[!,]/}
export SLURM_JOB_NUM_NODES=$((${#paracloud_hosts} + 1)) SLURM_NNODES=$((${#paracloud_hosts} + 1))
# MPI finds Grid Engine by itself, and would take these variables for a Slurm that is there.
export OMPI_MCA_plm=^slurm OMPI_MCA_ras=^slurm PRTE_MCA_plm=^slurm PRTE_MCA_ras=^slurm
export I_MPI_HYDRA_BOOTSTRAP=sge I_MPI_HYDRA_RMK=sge HYDRA_BOOTSTRAP=sge HYDRA_RMK=sge
"""

# Signals reach the group that Grid Engine started, which all of this stays in, so that a kill reaches it too: whoever
# is not meant has a handler that does nothing, and what is started has the default again.
_RUN = r"""
paracloud_mv=$(type -P mv) paracloud_ends=$HOME/.paracloud/ends
paracloud_tell() {
  local name=$1 process own group
  shift
  read -r _ _ _ _ own _ <"/proc/$$/stat"
  for process in /proc/[1-9]*; do
    { read -r _ _ _ _ group _ <"$process/stat"; } && [ "$group" = "$own" ] || continue
    [[ " $* " == *" ${process#/proc/} "* ]] || kill -s "$name" "${process#/proc/}"
  done
}
paracloud_watch() {
  local slot=$paracloud_folder/signal$paracloud_task reach name at=$SECONDS
  trap '' HUP INT QUIT USR1 USR2 TERM ALRM
  exec </dev/null >/dev/null 2>&1 8<> <(:)
  while kill -0 "$1"; do
    reach= name=
    if [ -s "$slot" ] && "$paracloud_mv" -f -- "$slot" "$slot.taken"; then
      read -r reach name <"$slot.taken"
    elif [ -n "$paracloud_warning" ] && [ $((SECONDS - at)) -ge "${paracloud_warning%% *}" ]; then
      read -r _ reach name <<<"$paracloud_warning"
      paracloud_warning=
    fi
    case $reach in
      batch) kill -s "$name" "$1" ;;
      all) kill -s "$name" 0 ;;
      steps) paracloud_tell "$name" "$1" "$$" "$BASHPID" ;;
    esac
    read -r -t 2 -u 8
  done
}
# The watcher is nobody's child, so that nobody waits for it.
paracloud_run() {
  local status
  trap : HUP INT QUIT USR1 USR2 TERM ALRM
  (
    paracloud_watched=$BASHPID
    (paracloud_watch "$paracloud_watched" &)
    exec "$@"
  )
  status=$?
  printf '%s %s\n' "$status" "${SLURM_ARRAY_TASK_COUNT:-1}" >"$paracloud_ends/$JOB_ID$paracloud_task"
  exit "$status"
}
[ -d "$paracloud_ends" ] || (umask 077; mkdir -p "$paracloud_ends")
"""

# Grid Engine knows only that another job has ended; how it ended, the job itself wrote down.
_DEPENDENCY = r"""
paracloud_ended_well() {
  local file status tasks=1 seen=0
  for file in "$HOME/.paracloud/ends/$1" "$HOME/.paracloud/ends/$1".*; do
    { read -r status tasks <"$file"; } 2>/dev/null || continue
    [ "$status" = 0 ] || return 1
    seen=$((seen + 1))
  done
  [ "$seen" -ge "$tasks" ]
}
paracloud_never() {
  echo "paracloud: the dependency on job $1 ($2) can never be satisfied. Nothing was run." >&2
  exit 75
}
"""


def prelude(request: Request, redirection: str) -> str:
    """`redirection` comes as soon as the variables stand that file names are made of."""
    given = [
        f"SLURM_NTASKS={request.tasks}",
        f"SLURM_NPROCS={request.tasks}",
        f"SLURM_CPUS_PER_TASK={request.cores_per_task}",
    ]
    if request.tasks_per_node is not None:
        given.append(f"SLURM_NTASKS_PER_NODE={request.tasks_per_node}")
    if request.memory_per_core_bytes is not None:
        given.append(f"SLURM_MEM_PER_CPU={-(-request.memory_per_core_bytes // (1 << 20))}")
    if request.memory_per_node_bytes is not None:
        given.append(f"SLURM_MEM_PER_NODE={-(-request.memory_per_node_bytes // (1 << 20))}")
    if request.gpus_per_node:
        given.append(f"SLURM_GPUS_ON_NODE={request.gpus_per_node}")
    return f"export {' '.join(given)}" + _ENVIRONMENT + redirection + _dependencies(request) + _SRUN


def runner(warning: str) -> str:
    """`warning`: seconds after the start, reach and name of the signal that the user asked for; or nothing."""
    return f"paracloud_warning='{warning}'" + _RUN


def _dependencies(request: Request) -> str:
    checks = {"afterok": "||", "afternotok": "&&"}
    lines = [
        f"paracloud_ended_well {job} {checks[kind]} paracloud_never {job} {kind}\n"
        for kind, job in request.depends_on
        if kind in checks
    ]
    return _DEPENDENCY + "".join(lines) if lines else ""
