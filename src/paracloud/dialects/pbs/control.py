"""Acting on jobs that are there: cancel, signal, hold, release. Run as the account that owns them, so that PBS itself
keeps one tenant from another's jobs."""

from collections.abc import Sequence
from datetime import timedelta

from paracloud.dialects.answers import Answers
from paracloud.dialects.pbs.answers import FOREIGN, GONE, complaints
from paracloud.dialects.pbs.ids import native_id
from paracloud.dialects.text import printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Conflict, Forbidden, Invalid, NotFound, Unsupported
from paracloud.kit.identifiers import NativeId

_IDS_AT_A_TIME = 200
_NOT_WAITING = ("invalid for state", "No support for requested service", "rejected hold request")
# Every line is tried, also after one that failed: a gone job must not shield those behind it.
_CANCEL = 'status=0; set -f; while read -r ids; do qdel $ids </dev/null || status=$?; done; exit "$status"'
# One process for each job, so that each has an answer of its own; a dozen at once.
_SIGNAL = r"""
tell() {
  said=$(timeout -s KILL 20 qsig -s "$1" "$2" 2>&1 </dev/null)
  case "$? $said" in
    "0 "*|*"Unknown Job Id"*|*"has finished"*|*COMPLETE*) echo "$2" ;;
    *) printf '%s\n' "$said" | tail -n 2 >&2 ;;
  esac
}
count=0
while read -r id; do tell "$1" "$id" & count=$((count + 1)); [ $((count % 12)) -ne 0 ] || wait; done
wait
"""


def cancel(answers: Answers, ids: Sequence[NativeId]) -> Command[None]:
    argv = ("bash", "-c", _CANCEL, "paracloud-cancel")
    jobs = [_job(answers, job) for job in ids]
    lines = [" ".join(jobs[at : at + _IDS_AT_A_TIME]) for at in range(0, len(jobs), _IDS_AT_A_TIME)]

    def parse(completed: Completed) -> None:
        said = [line for line in complaints(completed) if not GONE.search(line)]
        if complaints(completed) and not said:
            return
        if any(FOREIGN in line for line in said):
            raise _foreign()
        answers.output_of(completed, argv)

    stdin = "".join(line + "\n" for line in lines).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=60), cost=max(len(lines), 1))


def signal(answers: Answers, ids: Sequence[NativeId], name: str) -> Command[frozenset[NativeId]]:
    """To all processes of a job, on its first node; PBS reaches no batch script alone."""
    if name.startswith("B:"):
        raise Unsupported(
            "PBS sends a signal to all of a job, never to its batch script alone: leave out B:.",
            "PBS 只能向整个作业发送信号，不能只发给批处理脚本：请去掉 B:。",
            field="signal",
        )
    if not (name.isascii() and name.isalnum()):
        raise Invalid(f"{name!r} is no signal.", f"{name!r} 不是信号。", field="signal")
    argv = ("bash", "-c", _SIGNAL, "paracloud-signal", name)
    jobs = [_job(answers, job) for job in ids]

    def parse(completed: Completed) -> frozenset[NativeId]:
        done = {NativeId(word) for word in completed.stdout.decode(errors="replace").split()} & set(jobs)
        if not done and FOREIGN.encode() in completed.stderr:
            raise _foreign()
        if not done:
            answers.output_of(completed, argv)
        return frozenset(NativeId(job) for job in done)

    stdin = "".join(f"{job}\n" for job in jobs).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=60), cost=max(len(jobs), 1))


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
            raise NotFound(f"The centre knows no job {job} any more.", f"该中心已没有作业 {job}。", field="id")
        if completed.exit_status != 0 and any(sign in said for sign in _NOT_WAITING):
            text = printable(said, 200)
            raise Conflict(
                f"Only a waiting job can be held or released; job {job} is not ({text}).",
                f"只有排队中的作业才能挂起或释放；作业 {job} 不在排队（{text}）。",
            )
        answers.output_of(completed, argv)

    return Command(argv=argv, parse=parse)


def _foreign() -> Forbidden:
    return Forbidden(
        "These jobs belong to another account of the centre; cancel or signal them as their owner.",
        "这些作业属于该中心的另一个账户，请以其所有者身份取消或发送信号。",
    )


def _job(answers: Answers, job: NativeId) -> str:
    try:
        return native_id(job)
    except ValueError:
        name = answers.scheduler
        raise Invalid(f"{job!r} is no {name} job.", f"{job!r} 不是 {name} 作业号。", field="id") from None
