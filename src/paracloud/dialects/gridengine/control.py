"""Acting on jobs that are there: cancel, signal, hold, release. Run as the account that owns them, so that Grid Engine
itself keeps one tenant from another's jobs."""

from collections.abc import Sequence

from paracloud.dialects import acting
from paracloud.dialects.batch_script import GUARD_FOLDER
from paracloud.dialects.gridengine.answers import GRID_ENGINE
from paracloud.dialects.text import printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Forbidden
from paracloud.kit.identifiers import NativeId

_GONE = "does not exist"
_FOREIGN = (
    "do not have the necessary privileges",
    "does not have privilege",
    "not allowed to",
    "must be at least owner",
)
_IDS_AT_A_TIME = 500
# qdel says on standard output what it did and what it could not.
_CANCEL = "export LC_ALL=C; " + acting.each_line("qdel")
# Grid Engine has no command that brings a running job a signal, so the job's own watcher does (prelude.py). A request
# is taken by a renaming, which only one of the two can do: the watcher, or we when we have waited in vain; so what we
# leave out was not and will not be delivered.
_SIGNAL = r"""
export LC_ALL=C
nonce=$1 wish=$2 folder=$HOME/$3 patience=$4
listed=$(qstat -xml -r -s rs -u "$(id -un)") || exit
[[ $listed == *"</job_info>"* ]] || { echo "qstat gave no listing" >&2; exit 65; }
declare -A running
while read -r id tag task; do running[$id]+=" $tag/signal${task:+.$task}"; done < <(awk -F '[<>]' '
  $2 == "JB_job_number" { id = $3; task = "" } $2 == "tasks" { task = $3 }
  $2 == "full_job_name" && $3 ~ /^pc-[0-9a-f]+$/ { print id, substr($3, 4), task }' <<<"$listed")
tell() {
  local slot missing= deadline=$((SECONDS + patience))
  for slot in ${running[$1]}; do
    slot=$folder/$slot
    rm -f -- "$slot.taken"
    { printf '%s\n' "$wish" >"$slot.new" && mv -f -- "$slot.new" "$slot"; } 2>/dev/null || missing=yes
  done
  for slot in ${running[$1]}; do
    slot=$folder/$slot
    while [ ! -e "$slot.taken" ] && [ "$SECONDS" -lt "$deadline" ]; do sleep 0.2; done
    [ -e "$slot.taken" ] || ! mv -- "$slot" "$slot.withdrawn" 2>/dev/null || missing=yes
  done
  [ -n "$missing" ] || printf '%s %s\n' "$nonce" "$1"
}
while read -r id; do tell "$id" & done
wait
"""
_SIGNAL_PATIENCE_SECONDS = 20
"""A watcher looks every two seconds; a shared file system shows it a new file only after a while."""


def cancel(ids: Sequence[NativeId]) -> Command[None]:
    argv = ("bash", "-c", _CANCEL, "paracloud-cancel")
    lines = acting.lines_of([_number(job) for job in ids], _IDS_AT_A_TIME)

    def parse(completed: Completed) -> None:
        said = (completed.stdout + completed.stderr).decode(errors="replace")
        if any(sign in said for sign in _FOREIGN):
            raise Forbidden(
                "These jobs belong to another account of the centre; cancel them as their owner.",
                "这些作业属于该中心的另一个账户，请以其所有者身份取消。",
            )
        complaints = [line for line in said.splitlines() if line.startswith("denied:") or _GONE in line]
        if completed.exit_status == 1 and complaints and all(_GONE in line for line in complaints):
            return
        GRID_ENGINE.output_of(completed, argv)

    return acting.asked_of(argv, lines, parse, cost=max(len(lines), 1))


def signal(ids: Sequence[NativeId], name: str, nonce: str) -> Command[frozenset[NativeId]]:
    """To the script and all that it started; after "B:" to the script alone. Only jobs of the platform have a watcher:
    of others that run under this account nothing is told, and they count as gone."""
    wish = f"{'batch' if name.startswith(acting.BATCH_ONLY) else 'all'} {acting.signal_named(name)}"
    words = (nonce, wish, GUARD_FOLDER, str(_SIGNAL_PATIENCE_SECONDS))
    argv = ("bash", "-c", _SIGNAL, "paracloud-signal", *words)
    numbers = [_number(job) for job in ids]

    def parse(completed: Completed) -> frozenset[NativeId]:
        lines = GRID_ENGINE.output_of(completed, argv).split("\n")
        done = {line.removeprefix(f"{nonce} ") for line in lines if line.startswith(f"{nonce} ")}
        return frozenset(NativeId(job) for job in done & set(numbers))

    return acting.asked_of(argv, numbers, parse, cost=1)


def hold(job: NativeId) -> Command[None]:
    """A user's hold. Grid Engine takes it of a running job too, which runs on, and would be held if it came back."""
    return _changed(job, ("env", "LC_ALL=C", "qhold", "-h", "u", _number(job)))


def release(job: NativeId) -> Command[None]:
    return _changed(job, ("env", "LC_ALL=C", "qrls", "-h", "u", _number(job)))


def _changed(job: NativeId, argv: tuple[str, ...]) -> Command[None]:
    def parse(completed: Completed) -> None:
        said = (completed.stdout + completed.stderr).decode(errors="replace")
        if completed.exit_status in (1, 3) and _GONE in said:
            raise acting.gone(job)
        if any(sign in said for sign in _FOREIGN):
            raise Forbidden(
                f"Job {job} belongs to another account of the centre ({printable(said, 200)}).",
                f"作业 {job} 属于该中心的另一个账户（{printable(said, 200)}）。",
            )
        GRID_ENGINE.output_of(completed, argv)

    return Command(argv=argv, parse=parse)


def _number(job: NativeId) -> str:
    return acting.job_number(GRID_ENGINE, job)
