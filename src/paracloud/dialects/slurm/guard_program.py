"""What the guard needs of Slurm: how to submit, how to look up, and which words are a no for good."""

from paracloud.dialects.guard_program import any_of, guard_program

# What the controller, or sbatch itself, says when it read the request and will not have it (slurm_errno.c and
# opt.c, 22.05).
_DEFINITE = (
    "Access denied to requested reservation",
    "Access/permission denied",
    "Burst Buffer request invalid",
    "CPU count specification invalid",
    "Cannot request more threads per core",
    "Circular job dependency",
    "Duplicate generic resource",
    "Insufficient GRES available",
    "Invalid --nice value",
    "Invalid GRES specification",
    "Invalid Trackable RESource",
    "Invalid account or account/partition",
    "Invalid accounting frequency",
    "Invalid feature specification",
    "Invalid generic resource",
    "Invalid job array specification",
    "Invalid job id specified",
    "Invalid license specification",
    "Invalid mcs_label",
    "Invalid node name specified",
    "Invalid partition name specified",
    "Invalid preferred feature",
    "Invalid qos specification",
    "Invalid time specified",
    "Invalid time-min specification",
    "Invalid wckey specification",
    "Job --batch option is invalid",
    "Job dependency problem",
    "Job size specification needs",
    "Job violates accounting/QOS policy",
    "Memory required by task is not available",
    "More processors requested than permitted",
    "Multiple partition job request not supported",
    "No partition specified",
    "Node count specification invalid",
    "Pathname of a file, directory or other parameter too long",
    "Requested GRES option unsupported",
    "Requested account has breached",
    "Requested more tasks than available",
    "Requested node configuration is not available",
    "Requested nodes not in this partition",
    "Requested operation not supported",
    "Requested partition configuration not available",
    "Requested reservation is invalid",
    "Requested reservation not usable",
    "Requested time limit is invalid",
    "Required partition not available",
    "Task count specification invalid",
    "Task distribution specification invalid",
    "User's group not permitted",
)

_OWN = r"""
# Options that a start-up file left in the environment would win over the script's own.
clean() { unset "${!SBATCH_@}" "${!SQUEUE_@}" "${!SACCT_@}" SLURM_CLUSTERS SLURM_TIME_FORMAT; }

list_ids() {
  local listed since line
  listed=$(timeout -k 5 "$patience" squeue -h -a -t all -u "$EUID" -n "pc-$tag" -o %F 2>"$d/stderr") || return 1
  if [ -z "$listed" ]; then
    since=$(date -u -r "$d/lock" +%s) || return 1
    since=$(date -u -d "@$((since - 86400))" +%Y-%m-%dT%H:%M:%S) || return 1
    listed=$(TZ=UTC0 timeout -k 5 "$patience" sacct -X -n -P -D -u "$EUID" --name="pc-$tag" -S "$since" -o JobID \
      2>"$d/stderr") || return 1
  fi
  for line in $listed; do printf '%s\n' "${line%%_*}"; done
}

hand_in() { exec sbatch --parsable "$1"; }

definite() {
  case $1 in
    *"Unable to contact"* | *"Socket timed out"* | *"Zero Bytes"* | *onnection* | *uthentica* | *unge* | \
      *credential* | *standby* | *SubmitJob*Limit* | *temporarily* | *"try again"*) return 1 ;;
    *"Batch job submission failed: Unspecified error"*)
      # A submit filter's no: it is definite where the controller sent the filter's own words along.
      [[ $1 == *"sbatch: error: "*"sbatch: error: Batch"* ]] ;;
    *"Batch job submission failed: "*)
      case ${1##*Batch job submission failed: } in @DEFINITE@) return 0 ;; esac
      return 1 ;;
    *"sbatch: error: Invalid "* | *"sbatch: error: invalid "* | *"unrecognized option"* | \
      *"Invalid directive found"* | *"does not look like a batch script"*) return 0 ;;
    *) return 1 ;;
  esac
}
"""

GUARD_PROGRAM = guard_program(_OWN.replace("@DEFINITE@", any_of(_DEFINITE)), scheduler="Slurm", native_id="[0-9]{1,18}")
