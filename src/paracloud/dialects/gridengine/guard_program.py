"""What the guard needs of Grid Engine: how to submit, how to look up, and which words are a no for good."""

from paracloud.dialects.gridengine.answers import CELL
from paracloud.dialects.guard_program import any_of, guard_program

NATIVE_ID = r"[0-9]{1,18}(\.[0-9]+-[0-9]+:[0-9]+)?"
"""What qsub -terse prints: 4711, or 4711.1-9:1 for an array."""
NO_ENVIRONMENT = "no parallel environment"
LOOK_UPS = 12
"""Commands at most that find a queue's parallel environment: its own settings, and those of its first environments."""

# What sge_qmaster, or qsub itself, says when it read the request and will not have it (msg_qmaster.h, msg_common.h,
# 8.1.9), after "Unable to run job: ".
_DEFINITE = (
    "Colon",
    "Job was rejected because",
    "denied: job requests",
    "error: no suitable queues",
    "job rejected:",
    "unknown resource",
    "unknown queue",
    "unknown option",
    "invalid ",
    "job's resource requests",
    "Unable to read script file because of error",
    "no write permission",
    "Project ",
    "project ",
    "user ",
    "access denied",
)

_OWN = r"""
# The words of the program are looked at, so they are asked for in English.
clean() { export LC_ALL=C; }
@CELL@
# Grid Engine lists a job until it has accounted for it, and accounts for it within accounting_flush_time; between the
# two, what the job's own start left behind is a trace of it.
list_ids() {
  local listed file run
  listed=$(timeout -k 5 "$patience" qstat -xml -r -u "$(id -un)" 2>"$d/stderr") || return 1
  [[ $listed == *"</job_info>"* ]] || return 1
  awk -F '[<>]' -v name="pc-$tag" '$2 == "JB_job_number" { id = $3 } $2 == "full_job_name" && $3 == name { print id }' \
    <<<"$listed"
  if [ -e "$common/accounting" ]; then
    awk -F: -v name="pc-$tag" -v uid="$(id -un)" '$5 == name && $4 == uid { print $6 }' "$common/accounting" | sort -u
  fi
  set +f
  for file in "$d"/run "$d"/run.*; do
    [ -L "$file" ] && run=$(readlink "$file") || continue
    # One that was taken on the job's behalf names no job (dialects/fence.py).
    [[ $run =~ ^[0-9]+$ ]] || continue
    # A task's number ends with seven digits of its own.
    [ "${file##*/}" = run ] || run=${run:0:${#run}-7}
    printf '%s\n' "$run"
    break
  done
  set -f
}

# One that could not be asked for is not asked for again by the other jobs of this batch.
failed() { printf '%s\n%s\n' "$nonce $$" "$1" >"$kept.failed"; printf '%s\n' "$1" >&2; }

# Of the queue's parallel environments the first that spreads slots by the rule; such as let a job start its tasks on
# other hosts come first. What was found is kept for ten minutes, and asked for by one at a time: at most @LOOK_UPS@
# commands, of which the budget knows.
parallel() {
  local queue=$1 rule=$2 kept name known own=$BASHPID
  kept=${root%/*}/parallel.$queue
  exec 7>>"$kept.lock" && flock -w "$lock_wait" 7 || return 1
  if { read -r known <"$kept.failed"; } 2>/dev/null && [ "$known" = "$nonce $$" ]; then
    tail -n +2 "$kept.failed" >&2
    return 1
  fi
  if [ -z "$(find "$kept" -mmin -10 2>/dev/null)" ]; then
    known=$(timeout -k 5 "$patience" qconf -sq "$queue" 2>&1) || { failed "$known"; return 1; }
    known=$(awk '
      $1 == "pe_list" { $1 = ""; more = 1 }
      more { line = $0; more = sub(/\\$/, "", line); gsub(/\[[^]=]*=/, " ", line); print line }' <<<"$known")
    for name in $(printf '%s\n' ${known//[^A-Za-z0-9_.-]/ } | grep -vx NONE | head -n "$((@LOOK_UPS@ - 1))"); do
    # A queue may name one that is no more.
      known=$(timeout -k 5 "$patience" qconf -sp "$name" 2>&1) && printf '%s\n' "$known" && continue
      [[ $known == *"not a parallel environment"* ]] || { failed "$known"; exit 1; }
    done | awk '$1 == "pe_name" { name = $2 } $1 == "allocation_rule" { rule = $2 }
      $1 == "control_slaves" { print ($2 ~ /TRUE|true/ ? 0 : 1), rule, name }' | sort -s -n -k 1,1 >"$kept.$own"
    if [ "${PIPESTATUS[*]}" != "0 0 0" ]; then rm -f -- "$kept.$own"; return 1; fi
    mv -f -- "$kept.$own" "$kept"
  fi
  while read -r _ known name; do
    if [ "$known" = "$rule" ]; then printf '%s\n' "$name"; return; fi
  done <"$kept"
  [ "$rule" != '$fill_up' ] || { parallel "$queue" '$round_robin'; return; }
  echo "@NO_ENVIRONMENT@ of the queue $queue has the allocation rule $rule" >&2
  return 1
}

# qsub itself would take directives from everywhere in the script, the user's own text included, so it is told to take
# none (-C) and is given those of the head, whose values are single words.
hand_in() {
  local line rule number queue environment options=()
  while IFS= read -r line && [[ $line == "#"* ]]; do
    case $line in
      "#paracloud-parallel "*) read -r _ rule number queue <<<"$line" ;;
      "#$ "*) options+=(${line#??}) ;;
    esac
  done <"$1"
  if [ -n "$rule" ]; then
    environment=$(parallel "$queue" "$rule") || exit 1
    options+=(-pe "$environment" "$number")
  fi
  exec qsub -terse -C "" "${options[@]}" "$1"
}

definite() {
  case $1 in
    *"unable to contact"* | *commlib* | *"got no connection"* | *"answer list"* | *imeout* | *"failed receiving"* | \
      *"jobs are allowed"* | *"too many"* | *"try again"*) return 1 ;;
    *"@NO_ENVIRONMENT@"* | *"Unknown option"* | *"invalid option argument"* | *"not allowed in objectname"*) return 0 ;;
    *"Unable to run job: "*)
      case ${1#*Unable to run job: } in @DEFINITE@) return 0 ;; esac
      return 1 ;;
    *) return 1 ;;
  esac
}
"""

_PIECES = {
    "@DEFINITE@": any_of(_DEFINITE),
    "@CELL@": CELL.strip(),
    "@NO_ENVIRONMENT@": NO_ENVIRONMENT,
    "@LOOK_UPS@": str(LOOK_UPS),
}


def _own() -> str:
    own = _OWN
    for mark, text in _PIECES.items():
        own = own.replace(mark, text)
    return own


GUARD_PROGRAM = guard_program(_own(), scheduler="Grid Engine", native_id=NATIVE_ID)
