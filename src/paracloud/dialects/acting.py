"""What acting on jobs that are there has in common, whatever the scheduler: how jobs are named to a program at the
centre, what is no job and no signal, and how it is said that nothing can be done."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TypeVar

from paracloud.dialects.answers import Answers
from paracloud.dialects.text import count, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Conflict, Forbidden, Invalid, NotFound
from paracloud.kit.identifiers import NativeId

BATCH_ONLY = "B:"
"""Before a signal's name: to the batch script alone."""
EACH_JOB = r"""
count=0
while read -r id; do tell "$@" "$id" & count=$((count + 1)); [ $((count % 12)) -ne 0 ] || wait; done
wait
"""
"""Shell after a function `tell`, which prints a job that has its signal: one process for each, so that each has an
answer of its own; a dozen at once."""
T = TypeVar("T")


def each_line(program: str) -> str:
    """Shell that gives a program the jobs of a line, line by line. Every line is tried, also after one that failed: a
    gone job must not shield those behind it."""
    return f'status=0; while read -r ids; do set -f; {program} $ids </dev/null || status=$?; done; exit "$status"'


def lines_of(jobs: Sequence[str], at_a_time: int) -> list[str]:
    return [" ".join(jobs[at : at + at_a_time]) for at in range(0, len(jobs), at_a_time)]


def asked_of(argv: tuple[str, ...], lines: Sequence[str], parse: Callable[[Completed], T], *, cost: int) -> Command[T]:
    """A command that reads its jobs from standard input."""
    stdin = "".join(line + "\n" for line in lines).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=60), cost=cost)


def signalled(
    answers: Answers, completed: Completed, argv: tuple[str, ...], jobs: Sequence[str], *, foreign: str
) -> frozenset[NativeId]:
    """Those of the jobs that the command printed. Where there is none: Forbidden if it said `foreign`, else the error
    that all commands have."""
    done = {NativeId(word) for word in completed.stdout.decode(errors="replace").split()} & set(jobs)
    if not done and foreign.encode() in completed.stderr:
        raise not_yours()
    if not done:
        answers.output_of(completed, argv)
    return frozenset(NativeId(job) for job in done)


def signal_named(text: str) -> str:
    """Its plain name. Invalid for what is none."""
    name = text.removeprefix(BATCH_ONLY)
    if not (name.isascii() and name.isalnum()):
        raise Invalid(f"{text!r} is no signal.", f"{text!r} 不是信号。", field="signal")
    return name


def job_number(answers: Answers, job: NativeId) -> str:
    """Where the scheduler calls a job by a number. Invalid for anything else."""
    name = answers.scheduler
    try:
        return str(count(job))
    except ValueError:
        raise Invalid(f"{job!r} is no {name} job number.", f"{job!r} 不是 {name} 作业号。", field="id") from None


def gone(job: NativeId) -> NotFound:
    return NotFound(f"The centre knows no job {job} any more.", f"该中心已没有作业 {job}。", field="id")


def not_waiting(job: NativeId, said: str) -> Conflict:
    text = printable(said, 200)
    return Conflict(
        f"Only a waiting job can be held or released; job {job} is not ({text}).",
        f"只有排队中的作业才能挂起或释放；作业 {job} 不在排队（{text}）。",
    )


def not_yours() -> Forbidden:
    return Forbidden(
        "These jobs belong to another account of the centre; cancel or signal them as their owner.",
        "这些作业属于该中心的另一个账户，请以其所有者身份取消或发送信号。",
    )
