"""What the guard needs of PBS: how to submit, how to look up, and which words are a no for good."""

from paracloud.dialects.guard_program import any_of, guard_program
from paracloud.dialects.pbs.ids import PATTERN

# What the server, or qsub itself, says when it read the request and will not have it (OpenPBS 23.06, pbs_messages.c
# and qsub.c; Torque 6.1, pbs_error_db.h).
_DEFINITE = (
    "Access to queue is denied",
    "Array job exceeds server or queue size limit",
    "Bad GID for job execution",
    "Bad Job Array Request",
    "Bad UID for job execution",
    "Cannot be used with select or place",
    "Cannot have",
    "Cannot set attribute, read only or insufficient permission",
    "Illegal attribute or resource value",
    "Invalid Account",
    "Invalid Job Dependency",
    "Invalid request",
    "Job exceeds queue resource limits",
    "Job rejected by all possible destinations",
    "Job violates queue and/or server resource limits",
    "No default queue specified",
    "Queue does not allow",
    "Queue is not enabled",
    "Queue name too long",
    "Resource invalid in",
    "Resource limit exceeds allowable",
    "Unauthorized Request",
    "Undefined attribute",
    "Unknown node",
    "Unknown queue",
    "Unknown resource",
    "cannot locate feasible nodes",
    "cannot locate queue",
    "directive error",
    "duplicated resource within a section of a select specification",
    "illegal -",
    "illegally formed job identifier",
    "invalid ",
    "jobscript size exceeded",
    "name is too long",
    "node(s) specification error",
    "unknown option",
)

_OWN = r"""
# A start-up file could name another prefix for directives.
clean() { unset PBS_DPREFIX "${!PBS_O_@}"; }

# Torque calls the tasks of an array by names of their own. What PBS has forgotten is still known by the marker that the
# job itself left when it began.
ask_for() { timeout -k 5 "$patience" qselect "${@:2}" -u "$(id -un)" -N "$1" 2>"$d/stderr"; }
forgetful() { grep -q "not configured to maintain job history" "$d/stderr"; }
list_ids() {
  local name listed= some marker first
  first=$(sed -n 's/^#PBS -t \([0-9]*\).*/\1/p' "$d/script" 2>/dev/null)
  for name in "pc-$tag" ${first:+"pc-$tag-$first"}; do
    some=$(ask_for "$name" @LOOK_UP@) || some=$(forgetful && ask_for "$name") || return 1
    listed+=" $some"
  done
  if [ -z "${listed// /}" ]; then
    set +f
    for marker in "$d"/run "$d"/run.*; do
      # One that was taken on the job's behalf names no job (dialects/fence.py).
      [ -L "$marker" ] && some=$(readlink "$marker") && [[ $some =~ ^[0-9]+$ ]] || continue
      # A task's own number ends with its index (prelude).
      case $marker in */run.*) some="${some::-7}[]" ;; esac
      listed=$some
      break
    done
    set -f
  fi
  for name in $listed; do printf '%s\n' "$name"; done | sed 's/\[[0-9]*\]/[]/'
}

hand_in() { exec qsub "$1"; }

# Torque says it in brackets, with the server's own words behind: submit error (Unknown queue MSG=cannot locate queue).
definite() {
  local said=$1
  case $said in
    *onnect* | *ommunicat* | *authenticate* | *"ime out"* | *busy* | *"shutting down"* | *temporarily* | *"rotocol"* | \
      *"End of File"* | *"End-of-File"*) return 1 ;;
  esac
  said=${said##*qsub: }
  case ${said#submit error (} in @DEFINITE@) return 0 ;; esac
  return 1
}
"""


def program(scheduler: str, look_up: str) -> str:
    """`look_up`: the option by which qselect tells of ended jobs too, where it can."""
    own = _OWN.replace("@DEFINITE@", any_of(_DEFINITE)).replace("@LOOK_UP@", look_up)
    return guard_program(own, scheduler=scheduler, native_id=PATTERN)
