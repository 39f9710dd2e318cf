"""The guard: a small program for the login node, in bash, coreutils and flock alone, that may be run by anyone at any
time and submits each tag at most once.

Arguments: nonce, guard folder, seconds to wait for a lock, seconds to wait for the scheduler, tags at a time. Input:
lines of `TAG SCRIPT FOLDERS .`, both in the escapes of printf's %b; a line without its final dot was cut and is left
out. The folders, one a line, are made where they are missing: the work directory, and those that outputs go to.
Output: lines of `NONCE TAG id NUMBER .`, or `refused` or `unsure` with a reason in base64.

A tag's folder holds `lock`, `id`, `refused`, `script`, and `tried`, made under the lock before the script is handed in.
The folders of a batch are on disk, by one sync, before anything is tried: so a tag whose folder this very run made, and
that is without `tried`, was never handed in by anyone, and every other one is looked up first. The scheduler's client
inherits the lock: a guard that is killed leaves it held until its own client has ended, and the next one looks up only
then. What is left is a request still under way inside the scheduler when the look-up comes; the run marker of the job's
script makes that duplicate run nothing. A dependency on the only job of that name (Slurm's singleton) would add nothing
to this, and would make the tasks of an array wait for each other.

A scheduler brings four functions of its own:
- `clean`: takes options out of the environment that would win over the script's own.
- `list_ids`: prints the ids of this account's jobs that are called pc-$tag, of the queue and, where it lists none, of
  accounting; what goes wrong goes to $d/stderr. Not 0 where it may not know all.
- `hand_in SCRIPT`: becomes (exec) the client that submits it and prints the id.
- `definite TEXT`: whether these words are a no for good. All else is `unsure`: a doubt costs a repetition, a wrong no
  costs a job that nobody knows of.
"""

from collections.abc import Iterable

_PROGRAM = r"""
set -f
nonce=$1 root=$2 lock_wait=$3 patience=$4 lanes=$5
@OWN@
clean
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
  { read -r id <"$d/id"; } 2>/dev/null && [[ $id =~ ^@ID@$ ]] && return
  id=
  return 1
}

# Which jobs of this account carry the tag: the first that was given out is the one.
look_up() {
  local listed line
  id=
  listed=$(list_ids) || return 1
  case $(head -c 4000 "$d/stderr") in *error*) return 1 ;; esac
  for line in $listed; do
    [[ $line =~ ^@ID@$ ]] || return 1
    if [ -z "$id" ] || [ "${line%%[!0-9]*}" -lt "${id%%[!0-9]*}" ]; then id=$line; fi
  done
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
ask() {
  local asked
  trap 'kill -KILL "$asked"; wait "$asked"' TERM
  hand_in "$d/script" 2>"$d/stderr" &
  asked=$!
  wait "$asked"
  printf ' status %s' "$?"
}

hand_over() {
  local out why word
  umask "$mask"
  { IFS= read -r -d '' -t "$patience" out; [ $? -gt 128 ] && kill -TERM $!; } < <(ask) 2>/dev/null
  umask 077
  if [[ $out == *" status 0" ]]; then
    out=${out% status 0}
    for word in $out; do [[ ${word%%;*} =~ ^@ID@$ ]] && id=${word%%;*}; done
    if [ -n "$id" ]; then keep_id; say id "$id"; else say_why unsure "the submission was answered by $out"; fi
    return 0
  fi
  why=$(head -c 4000 "$d/stderr")
  if definite "$why"; then refuse "$why"; else say_why unsure "${why:-the submission was not answered}"; return 3; fi
}

# A here-string and `mapfile` start no process.
spread() {
  local text
  printf -v text %b "$1"
  mapfile -t here <<<"$text"
}

# Returns 3 where the scheduler did not answer, so that the rest of the batch does not wait for it as well. Every
# process counts here: a batch of hundreds must cost the login node no more than as many plain submissions.
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
    if [ -n "$silent" ]; then say_why unsure "@SCHEDULER@ did not answer for another job of this batch"; continue; fi
    submit "${words[i + 1]}" "${words[i + 2]}" "${again[i]}$all_again"
    [ $? = 3 ] && silent=1
  done
}
for ((n = 0; n < lanes; n++)); do lane "$n" </dev/null & done
wait
"""


def guard_program(own: str, *, scheduler: str, native_id: str) -> str:
    """The program for one scheduler: `own` are its four functions, `native_id` the form of its ids as bash's extended
    regular expression, which begins with the digits by which they are ordered."""
    pieces = {"@OWN@": own.strip(), "@ID@": native_id, "@SCHEDULER@": scheduler}
    program = _PROGRAM
    for mark, text in pieces.items():
        program = program.replace(mark, text)
    return program.strip() + "\n"


def any_of(openings: Iterable[str]) -> str:
    """A pattern for `case`: what begins with one of these texts."""
    return " | ".join(f'"{text}"*' for text in openings)
