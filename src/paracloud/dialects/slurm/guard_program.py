"""The guard: a small program for the login node, in bash, coreutils and flock alone, that may be run by anyone at any
time and submits each tag at most once.

Arguments: nonce, guard folder, seconds to wait for a lock, seconds to wait for Slurm, tags at a time. Input: lines of
`TAG SCRIPT FOLDERS .`, both in the escapes of printf's %b; a line without its final dot was cut and is left out. The
folders, one a line, are made where they are missing: the work directory, and those that outputs go to.
Output: lines of `NONCE TAG id NUMBER .`, or `refused` or `unsure` with a reason in base64.

A tag's folder holds `lock`, `id`, `refused`, `script`, and `tried`, made under the lock before sbatch is called. The
folders of a batch are on disk, by one sync, before anything is tried: so a tag whose folder this very run made, and
that is without `tried`, was never handed to sbatch by anyone, and every other one is looked up first. sbatch inherits
the lock: a guard that is killed leaves it held until its own sbatch has ended, and the next one looks up only then.
What is left is a request still under way inside Slurm when the look-up comes; the run marker of the job's script makes
that duplicate run nothing. `--dependency=singleton` would add nothing to this, and would make the tasks of an array
wait for each other.
"""

# What the controller, or sbatch itself, says when it read the request and will not have it (slurm_errno.c and
# opt.c, 22.05). All else is `unsure`: a doubt costs a repetition, a wrong no costs a job that nobody knows of.
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

_PROGRAM = r"""
set -f
nonce=$1 root=$2 lock_wait=$3 patience=$4 lanes=$5
# Options that a start-up file left in the environment would win over the script's own.
unset "${!SBATCH_@}" "${!SQUEUE_@}" "${!SACCT_@}" SLURM_CLUSTERS SLURM_TIME_FORMAT
cd -- "$HOME" || exit 71
mask=$(umask)
umask 077

say() { printf '\n%s %s %s %s .\n' "$nonce" "$tag" "$1" "$2"; }
say_why() { say "$1" "$(printf 'x%s' "$2" | head -c 1500 | base64 -w0)"; }
# In one short write, whose line end says that it is whole; a lost one costs a look-up.
keep_id() { printf '%s\n' "$id" >"$d/id"; } 2>/dev/null
keep_refusal() {
  printf '%s\n' "$1" >"$d/refused.new" && sync "$d/refused.new" && mv -f -- "$d/refused.new" "$d/refused"
} 2>/dev/null
known() {
  { read -r id <"$d/id"; } 2>/dev/null && [[ $id =~ ^[0-9]{1,18}$ ]] && return
  id=
  return 1
}

look_up() {
  local listed since line
  id=
  listed=$(timeout -k 5 "$patience" squeue -h -a -t all -u "$EUID" -n "pc-$tag" -o %F 2>"$d/stderr") || return 1
  if [ -z "$listed" ]; then
    since=$(date -u -r "$d/lock" +%s) || return 1
    since=$(date -u -d "@$((since - 86400))" +%Y-%m-%dT%H:%M:%S) || return 1
    listed=$(TZ=UTC0 timeout -k 5 "$patience" sacct -X -n -P -D -u "$EUID" --name="pc-$tag" -S "$since" -o JobID \
      2>"$d/stderr") || return 1
  fi
  case $(head -c 4000 "$d/stderr") in *error*) return 1 ;; esac
  for line in $listed; do
    line=${line%%_*}
    [[ $line =~ ^[0-9]{1,18}$ ]] || return 1
    if [ -z "$id" ] || [ "$line" -lt "$id" ]; then id=$line; fi
  done
}

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

# A no is final only if no earlier try of this tag can have been accepted.
refuse() {
  if [ -n "$again" ]; then
    if ! look_up; then say_why unsure "$(cat "$d/stderr")"; return 3; fi
    if [ -n "$id" ]; then keep_id; say id "$id"; return 0; fi
  fi
  if keep_refusal "$1"; then say_why refused "$1"; else say_why unsure "the answer could not be kept"; fi
}

prepare() {
  local why place missing=
  for place in "${here[@]}"; do [ -d "$place" ] || missing=yes; done
  if [ -n "$missing" ] && ! why=$(LC_ALL=C mkdir -p -- "${here[@]}" 2>&1); then
    case $why in
      *denied* | *"Not a directory"* | *"File exists"* | *Read-only* | *"too long"*) refuse "$why" ;;
      *) say_why unsure "$why" ;;
    esac
    return 1
  fi
  if ! { printf %b "$1" >"$d/script" && : >"$d/tried"; } 2>/dev/null; then
    say_why unsure "$d cannot be written to"
    return 1
  fi
}

# `timeout` would be one more program to start for each job.
ask_sbatch() {
  local asked
  trap 'kill -KILL "$asked"; wait "$asked"' TERM
  sbatch --parsable "$d/script" 2>"$d/stderr" &
  asked=$!
  wait "$asked"
  printf ' status %s' "$?"
}

hand_over() {
  local out why word
  umask "$mask"
  { IFS= read -r -d '' -t "$patience" out; [ $? -gt 128 ] && kill -TERM $!; } < <(ask_sbatch) 2>/dev/null
  umask 077
  if [[ $out == *" status 0" ]]; then
    out=${out% status 0}
    for word in $out; do [[ $word =~ ^([0-9]{1,18})(\;[^[:space:]]*)?$ ]] && id=${BASH_REMATCH[1]}; done
    if [ -n "$id" ]; then keep_id; say id "$id"; else say_why unsure "sbatch answered $out"; fi
    return 0
  fi
  why=$(head -c 4000 "$d/stderr")
  if definite "$why"; then refuse "$why"; else say_why unsure "${why:-sbatch did not answer}"; return 3; fi
}

# A here-string and `mapfile` start no process.
spread() {
  local text
  printf -v text %b "$1"
  mapfile -t here <<<"$text"
}

# Returns 3 where Slurm did not answer, so that the rest of the batch does not wait for it as well. Every process
# counts here: a batch of hundreds must cost the login node no more than as many calls of sbatch.
submit() {
  local d=$root/$tag here id= again=$3
  # An id is final, so it is read without the lock.
  if known; then say id "$id"; return; fi
  spread "$2"
  { exec 9>>"$d/lock"; } 2>/dev/null || { say_why unsure "$d cannot be written to"; return; }
  flock -w "$lock_wait" 9 || { say_why unsure "another submission of this job is under way"; return; }
  if known; then say id "$id"; return; fi
  if [ -s "$d/refused" ]; then say_why refused "$(cat "$d/refused")"; return; fi
  [ -e "$d/tried" ] && again=yes
  if [ -n "$again" ]; then
    if ! look_up; then say_why unsure "$(cat "$d/stderr")"; return 3; fi
    if [ -n "$id" ]; then keep_id; say id "$id"; return; fi
  fi
  prepare "$1" && hand_over
}

# Not `read`: from a pipe it takes one byte a system call.
words=($(cat))
again=() all_again= folders=() places=()
for ((i = 0; i + 3 < ${#words[@]}; i += 4)); do
  if [ -e "$root/${words[i]}" ]; then again[i]=yes; continue; fi
  folders+=("$root/${words[i]}")
  spread "${words[i + 2]}"
  places+=("${here[@]}")
done
if [ "${#folders[@]}" -gt 0 ]; then
  { mkdir -p -- "${folders[@]}" && sync "$root"; } 2>/dev/null || all_again=yes
  # One that cannot be made is spoken of in its turn.
  mkdir -p -- "${places[@]}" 2>/dev/null
fi

lane() {
  local i silent=
  for ((i = 4 * $1; i + 3 < ${#words[@]}; i += 4 * lanes)); do
    tag=${words[i]}
    if [ -n "$silent" ]; then say_why unsure "Slurm did not answer for another job of this batch"; continue; fi
    submit "${words[i + 1]}" "${words[i + 2]}" "${again[i]}$all_again"
    [ $? = 3 ] && silent=1
  done
}
for ((n = 0; n < lanes; n++)); do lane "$n" </dev/null & done
wait
"""

GUARD_PROGRAM = _PROGRAM.replace("@DEFINITE@", " | ".join(f'"{text}"*' for text in _DEFINITE)).strip() + "\n"
