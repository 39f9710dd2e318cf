"""A small srun for jobs under Grid Engine: sbatch scripts start their tasks by it. The site's own mpirun starts them,
which finds the job's hosts by itself; what it cannot be told is an error that names the option."""

import hashlib

SRUN = r"""#!/bin/bash
say() { echo "srun: error: $*" >&2; exit 2; }
unknown() { say "this centre runs Grid Engine, where srun has no option $1; remove it or call mpirun yourself"; }
tasks=${SLURM_NTASKS:-1} nodes=${SLURM_JOB_NUM_NODES:-1} each=${SLURM_CPUS_PER_TASK:-1} label=
# What the job has anyway may be said again.
same() { [ "$2" = "$3" ] || say "$1 $2 is not what the job has ($3), and a step cannot be smaller or larger here"; }
while [ $# -gt 0 ]; do
  option=$1 value=
  case $1 in
    --*=*) option=${1%%=*} value=${1#*=}; shift ;;
    --ntasks | --nodes | --cpus-per-task | -n | -N | -c) value=${2-}; shift; [ $# -eq 0 ] || shift ;;
    -n?* | -N?* | -c?*) option=${1:0:2} value=${1:2}; shift ;;
    --) shift; break ;;
    -*) shift ;;
    *) break ;;
  esac
  case $option in
    -n | --ntasks) [[ $value =~ ^[1-9][0-9]{0,5}$ ]] || say "$option needs a number"; tasks=$value ;;
    -N | --nodes) same "$option" "$value" "$nodes" ;;
    -c | --cpus-per-task) same "$option" "$value" "$each" ;;
    --ntasks-per-node) same "$option" "$value" "${SLURM_TASKS_PER_NODE%%,*}" ;;
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
if [[ $("$launcher" --version 2>/dev/null) == *"Open MPI"* ]]; then
  words+=(--bind-to none)
  [ -z "$label" ] || words+=(--tag-output)
  # Slots are cores, of which a task has several.
  [ "$nodes" -eq 1 ] || [ "$each" -eq 1 ] || words+=(--map-by "ppr:${SLURM_TASKS_PER_NODE%%,*}:node")
  [ "$nodes" -eq 1 ] || for name in $(compgen -e); do
    case $name in
      SGE_* | OMPI_* | PRTE_* | PMIX_* | PE_HOSTFILE | TMPDIR | TMP | HOSTNAME | PWD | OLDPWD | SHLVL | _) ;;
      *) words+=(-x "$name") ;;
    esac
  done
fi
exec "$launcher" "${words[@]}" bash -c '
  export SLURM_PROCID=${OMPI_COMM_WORLD_RANK:-${PMI_RANK:-0}}
  export SLURM_LOCALID=${OMPI_COMM_WORLD_LOCAL_RANK:-${MPI_LOCALRANKID:-0}}
  exec "$@"' srun "$@"
"""
_FOLDER = "$HOME/.paracloud/bin-" + hashlib.sha256(SRUN.encode()).hexdigest()[:12]

# It lies in the account's home, one of each version, and comes into place whole.
INSTALL = f"""\
paracloud_bin={_FOLDER}
if [ ! -x "$paracloud_bin/srun" ]; then
  (umask 077; mkdir -p "$paracloud_bin")
  cat >"$paracloud_bin/srun.$JOB_ID$paracloud_task" <<'PARACLOUD_SRUN'
{SRUN}PARACLOUD_SRUN
  chmod 700 "$paracloud_bin/srun.$JOB_ID$paracloud_task"
  mv -f -- "$paracloud_bin/srun.$JOB_ID$paracloud_task" "$paracloud_bin/srun"
fi
export PATH=$paracloud_bin:$PATH
"""
"""Shell of a job's script, after its variables stand."""
