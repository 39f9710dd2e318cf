"""Acting on jobs that are there: cancel, signal, hold, release. Run as the account that owns them, so that PBS itself
keeps one tenant from another's jobs."""

from collections.abc import Sequence

from paracloud.dialects import acting
from paracloud.dialects.answers import Answers
from paracloud.dialects.pbs.answers import FOREIGN, GONE, complaints
from paracloud.dialects.pbs.ids import native_id
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Invalid, Unsupported
from paracloud.kit.identifiers import NativeId

_IDS_AT_A_TIME = 200
_NOT_WAITING = ("invalid for state", "No support for requested service", "rejected hold request")
_CANCEL = acting.each_line("qdel")
_TELL = r"""
tell() {
  said=$(timeout -s KILL 20 qsig -s "$1" "$2" 2>&1 </dev/null)
  case "$? $said" in
    "0 "*|*"Unknown Job Id"*|*"has finished"*|*COMPLETE*) echo "$2" ;;
    *) printf '%s\n' "$said" | tail -n 2 >&2 ;;
  esac
}
"""


def cancel(answers: Answers, ids: Sequence[NativeId]) -> Command[None]:
    argv = ("bash", "-c", _CANCEL, "paracloud-cancel")
    lines = acting.lines_of([_job(answers, job) for job in ids], _IDS_AT_A_TIME)

    def parse(completed: Completed) -> None:
        said = [line for line in complaints(completed) if not GONE.search(line)]
        if complaints(completed) and not said:
            return
        if any(FOREIGN in line for line in said):
            raise acting.not_yours()
        answers.output_of(completed, argv)

    return acting.asked_of(argv, lines, parse, cost=max(len(lines), 1))


def signal(answers: Answers, ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
    """To all processes of a job, on its first node; PBS reaches no batch script alone."""
    if name.startswith(acting.BATCH_ONLY):
        raise Unsupported(
            "PBS sends a signal to all of a job, never to its batch script alone: leave out B:.",
            "PBS 只能向整个作业发送信号，不能只发给批处理脚本：请去掉 B:。",
            field="signal",
        )
    argv = ("bash", "-c", _TELL + acting.EACH_JOB, "paracloud-signal", acting.signal_named(name))
    jobs = [_job(answers, job) for job in ids]

    def parse(completed: Completed) -> frozenset[NativeId]:
        return acting.signalled(answers, completed, argv, jobs, foreign=FOREIGN)

    return acting.asked_of(argv, jobs, parse, cost=max(len(jobs), 1))


def hold(answers: Answers, job: NativeId) -> Command[None]:
    """A user's hold, which the user's own release undoes, also where this account is an operator."""
    return _ask(answers, "qhold", job)


def release(answers: Answers, job: NativeId) -> Command[None]:
    return _ask(answers, "qrls", job)


def _ask(answers: Answers, verb: str, job: NativeId) -> Command[None]:
    argv = (verb, "-h", "u", _job(answers, job))

    def parse(completed: Completed) -> None:
        said = completed.stderr.decode(errors="replace")
        if completed.exit_status != 0 and GONE.search(said):
            raise acting.gone(job)
        if completed.exit_status != 0 and any(sign in said for sign in _NOT_WAITING):
            raise acting.not_waiting(job, said)
        answers.output_of(completed, argv)

    return Command(argv=argv, parse=parse)


def _job(answers: Answers, job: NativeId) -> str:
    try:
        return native_id(job)
    except ValueError:
        name = answers.scheduler
        raise Invalid(f"{job!r} is no {name} job.", f"{job!r} 不是 {name} 作业号。", field="id") from None
