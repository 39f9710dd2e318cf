"""Acting on jobs that are there: cancel, signal, hold, release. Run as the account that owns them, so that Slurm itself
keeps one tenant from another's jobs."""

from collections.abc import Sequence
from datetime import timedelta

from paracloud.dialects.slurm.answers import SLURM
from paracloud.dialects.text import count, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Conflict, Forbidden, Invalid, NotFound
from paracloud.kit.identifiers import NativeId

_GONE = ("Invalid job id specified", "already completing or completed", "already finished")
_NOT_WAITING = ("no longer pending", "already finished", "already started", "is not pending", "already completing")
_IDS_AT_A_TIME = 500
# Every line is tried, also after one that failed: a gone job must not shield those behind it.
_CANCEL = 'status=0; while read -r ids; do set -f; scancel $ids </dev/null || status=$?; done; exit "$status"'
# scancel says "try again later" of a job that runs nothing but its batch script or waits in part, though it delivered
# the signal, and delivers it again after five seconds and again (22.05.8, measured): it is stopped before that. One
# process for each job, so that each has an answer of its own; a dozen at once.
_SIGNAL = r"""
tell() {
  said=$(timeout -s KILL 4 scancel -v "$1" "--signal=$2" "$3" 2>&1 </dev/null)
  case "$? $said" in
    "0 "*|*"transitional state"*|*"Invalid job id"*|*"already comp"*|*"already finished"*) echo "$3" ;;
    *) printf '%s\n' "$said" | tail -n 2 >&2 ;;
  esac
}
count=0
while read -r id; do tell "$1" "$2" "$id" & count=$((count + 1)); [ $((count % 12)) -ne 0 ] || wait; done
wait
"""
BATCH_ONLY = "B:"


def cancel(ids: Sequence[NativeId]) -> Command[None]:
    argv = ("bash", "-c", _CANCEL, "paracloud-cancel")
    numbers = [_number(job) for job in ids]
    lines = [" ".join(numbers[at : at + _IDS_AT_A_TIME]) for at in range(0, len(numbers), _IDS_AT_A_TIME)]

    def parse(completed: Completed) -> None:
        complaints = [line for line in completed.stderr.decode(errors="replace").splitlines() if "error:" in line]
        if complaints and all(any(sign in line for sign in _GONE) for line in complaints):
            return
        if any("permission denied" in line for line in complaints):
            raise _foreign()
        SLURM.output_of(completed, argv)

    stdin = "".join(line + "\n" for line in lines).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=60), cost=len(lines))


def signal(ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
    """To the batch script, its children and all steps; after "B:" to the script alone (as in sbatch --signal)."""
    reach = "--batch" if name.startswith(BATCH_ONLY) else "--full"
    plain = name.removeprefix(BATCH_ONLY)
    if not (plain.isascii() and plain.isalnum()):
        raise Invalid(f"{name!r} is no signal.", f"{name!r} 不是信号。", field="signal")
    argv = ("bash", "-c", _SIGNAL, "paracloud-signal", reach, plain)
    numbers = [_number(job) for job in ids]

    def parse(completed: Completed) -> frozenset[NativeId]:
        done = {NativeId(word) for word in completed.stdout.decode(errors="replace").split()} & set(numbers)
        if not done and b"permission denied" in completed.stderr:
            raise _foreign()
        if not done:
            SLURM.output_of(completed, argv)
        return frozenset(NativeId(job) for job in done)

    stdin = "".join(f"{number}\n" for number in numbers).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=60), cost=len(numbers))


def hold(job: NativeId) -> Command[None]:
    """A user's hold, which the user's own release undoes, also where this account is an operator."""
    return _scontrol("uhold", job)


def release(job: NativeId) -> Command[None]:
    return _scontrol("release", job)


def _scontrol(verb: str, job: NativeId) -> Command[None]:
    argv = ("scontrol", verb, _number(job))

    def parse(completed: Completed) -> None:
        said = completed.stderr.decode(errors="replace")
        if "Invalid job id" in said:
            raise NotFound(f"The centre knows no job {job} any more.", f"该中心已没有作业 {job}。", field="id")
        if completed.exit_status != 0 and any(sign in said for sign in _NOT_WAITING):
            text = printable(said, 200)
            raise Conflict(
                f"Only a waiting job can be held or released; job {job} is not ({text}).",
                f"只有排队中的作业才能挂起或释放；作业 {job} 不在排队（{text}）。",
            )
        SLURM.output_of(completed, argv)

    return Command(argv=argv, parse=parse)


def _foreign() -> Forbidden:
    return Forbidden(
        "These jobs belong to another account of the centre; cancel or signal them as their owner.",
        "这些作业属于该中心的另一个账户，请以其所有者身份取消或发送信号。",
    )


def _number(job: NativeId) -> str:
    try:
        return str(count(job))
    except ValueError:
        raise Invalid(f"{job!r} is no Slurm job number.", f"{job!r} 不是 Slurm 作业号。", field="id") from None
