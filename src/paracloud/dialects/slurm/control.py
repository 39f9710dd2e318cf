"""Acting on jobs that are there: cancel, signal, hold, release. Run as the account that owns them, so that Slurm itself
keeps one tenant from another's jobs."""

from collections.abc import Sequence

from paracloud.dialects import acting
from paracloud.dialects.slurm.answers import SLURM
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId

_GONE = ("Invalid job id specified", "already completing or completed", "already finished")
_NOT_WAITING = ("no longer pending", "already finished", "already started", "is not pending", "already completing")
_FOREIGN = "permission denied"
_IDS_AT_A_TIME = 500
_CANCEL = acting.each_line("scancel")
# scancel says "try again later" of a job that runs nothing but its batch script or waits in part, though it delivered
# the signal, and delivers it again after five seconds and again (22.05.8, measured): it is stopped before that.
_TELL = r"""
tell() {
  said=$(timeout -s KILL 4 scancel -v "$1" "--signal=$2" "$3" 2>&1 </dev/null)
  case "$? $said" in
    "0 "*|*"transitional state"*|*"Invalid job id"*|*"already comp"*|*"already finished"*) echo "$3" ;;
    *) printf '%s\n' "$said" | tail -n 2 >&2 ;;
  esac
}
"""


def cancel(ids: Sequence[NativeId]) -> Command[None]:
    argv = ("bash", "-c", _CANCEL, "paracloud-cancel")
    lines = acting.lines_of([_number(job) for job in ids], _IDS_AT_A_TIME)

    def parse(completed: Completed) -> None:
        complaints = [line for line in completed.stderr.decode(errors="replace").splitlines() if "error:" in line]
        if complaints and all(any(sign in line for sign in _GONE) for line in complaints):
            return
        if any(_FOREIGN in line for line in complaints):
            raise acting.not_yours()
        SLURM.output_of(completed, argv)

    return acting.asked_of(argv, lines, parse, cost=len(lines))


def signal(ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
    """To the batch script, its children and all steps; after "B:" to the script alone (as in sbatch --signal)."""
    reach = "--batch" if name.startswith(acting.BATCH_ONLY) else "--full"
    argv = ("bash", "-c", _TELL + acting.EACH_JOB, "paracloud-signal", reach, acting.signal_named(name))
    numbers = [_number(job) for job in ids]

    def parse(completed: Completed) -> frozenset[NativeId]:
        return acting.signalled(SLURM, completed, argv, numbers, foreign=_FOREIGN)

    return acting.asked_of(argv, numbers, parse, cost=len(numbers))


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
            raise acting.gone(job)
        if completed.exit_status != 0 and any(sign in said for sign in _NOT_WAITING):
            raise acting.not_waiting(job, said)
        SLURM.output_of(completed, argv)

    return Command(argv=argv, parse=parse)


def _number(job: NativeId) -> str:
    return acting.job_number(SLURM, job)
