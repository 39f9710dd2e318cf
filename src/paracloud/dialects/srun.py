"""A small srun for jobs where there is no Slurm: sbatch scripts start their tasks by it. The site's own mpirun starts
them; what it cannot be told is an error that names the option."""

import hashlib

_PROGRAM = r"""#!/bin/bash
say() { echo "srun: error: $*" >&2; exit 2; }
unknown() { say "this centre runs @SCHEDULER@, where srun has no option $1; remove it or call mpirun yourself"; }
tasks=${SLURM_NTASKS:-1} nodes=${SLURM_JOB_NUM_NODES:-1} each=${SLURM_CPUS_PER_TASK:-1} label=
here=${SLURM_TASKS_PER_NODE%%,*}
here=${here%%(*}
# What the job has anyway may be said again.
same() { [ "$2" = "$3" ] || say "$1 $2 is not what the job has ($3), and a step cannot be smaller or larger here"; }
while [ $# -gt 0 ]; do
  option=$1 value=
  case $1 in
    --*=*) option=${1%%=*} value=${1#*=}; shift ;;
    --ntasks | --nodes | --cpus-per-task | --ntasks-per-node | -n | -N | -c)
      value=${2-}; shift; [ $# -eq 0 ] || shift ;;
    -n?* | -N?* | -c?*) option=${1:0:2} value=${1:2}; shift ;;
    --) shift; break ;;
    -*) shift ;;
    *) break ;;
  esac
  case $option in
    -n | --ntasks) [[ $value =~ ^[1-9][0-9]{0,5}$ ]] || say "$option needs a number"; tasks=$value ;;
    -N | --nodes) same "$option" "$value" "$nodes" ;;
    -c | --cpus-per-task) same "$option" "$value" "$each" ;;
    --ntasks-per-node) same "$option" "$value" "$here" ;;
    -l | --label) label=yes ;;
    --mpi | --cpu-bind | --cpu_bind | --mem-bind | --hint | --distribution | --unbuffered | -u | --exact | --overlap | \
      --exclusive | --kill-on-bad-exit | -K | --quiet | -Q) ;;
    --export) [ "$value" = ALL ] || unknown "--export=$value" ;;
    *) unknown "$option" ;;
  esac
done
[ $# -gt 0 ] || say "no command given"
export SLURM_STEP_ID=0 SLURM_STEPID=0 SLURM_STEP_NUM_TASKS=$tasks
[ "$tasks" -gt 1 ] || exec "$@"
launcher=$(type -P mpirun || type -P mpiexec) || say "$tasks tasks need mpirun: load the module of an MPI before srun"
words=(-n "$tasks")
@HOSTS@if [[ $("$launcher" --version 2>/dev/null) == *"Open MPI"* ]]; then
  words+=(--bind-to none)
  [ -z "$label" ] || words+=(--tag-output)
  # Slots are cores, of which a task may have several.
  [ "$nodes" -eq 1 ] || [ "$each" -eq 1 ] || words+=(--map-by "ppr:$here:node")
  [ "$nodes" -eq 1 ] || for name in $(compgen -e); do
    case $name in
      @OWN@ | OMPI_* | PRTE_* | PMIX_* | TMPDIR | TMP | HOSTNAME | PWD | OLDPWD | SHLVL | _) ;;
      *) words+=(-x "$name") ;;
    esac
  done
fi
exec "$launcher" "${words[@]}" bash -c '
  export SLURM_PROCID=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
  export SLURM_LOCALID=${OMPI_COMM_WORLD_LOCAL_RANK:-${MPI_LOCALRANKID:-0}}
  # Where a scheduler ends the launcher of another node alone, its tasks end with it.
  ! setpriv --pdeathsig KILL true 2>/dev/null || set -- setpriv --pdeathsig KILL "$@"
  exec "$@"' srun "$@"
"""

_HOSTS = """\
[ "$nodes" -eq 1 ] || [ ! -r "${@NAME@:-}" ] || words+=(-machinefile "$@NAME@")
"""

# It lies in the account's home, one of each version, and comes into place whole.
_INSTALL = r"""
paracloud_bin=$HOME/.paracloud/bin-@VERSION@
if [ ! -x "$paracloud_bin/srun" ]; then
  (umask 077; mkdir -p "$paracloud_bin")
  cat >"$paracloud_bin/srun.${HOSTNAME%%.*}.$$" <<'PARACLOUD_SRUN'
@PROGRAM@PARACLOUD_SRUN
  chmod 700 "$paracloud_bin/srun.${HOSTNAME%%.*}.$$"
  mv -f -- "$paracloud_bin/srun.${HOSTNAME%%.*}.$$" "$paracloud_bin/srun"
fi
export PATH=$paracloud_bin:$PATH
"""


def install(scheduler: str, *, own: str, hosts: str | None = None) -> str:
    """Shell of a job's script, after its variables stand. `own`: a pattern of the scheduler's own variables, which the
    tasks on other nodes do not need; `hosts`: the variable that names a file of the job's hosts, for an mpirun that
    does not find them by itself."""
    program = _PROGRAM
    file = _HOSTS.replace("@NAME@", hosts) if hosts is not None else ""
    for mark, text in (("@SCHEDULER@", scheduler), ("@OWN@", own), ("@HOSTS@", file)):
        program = program.replace(mark, text)
    version = hashlib.sha256(program.encode()).hexdigest()[:12]
    return _INSTALL.replace("@VERSION@", version).replace("@PROGRAM@", program)
