"""The queue listing: all jobs of these accounts in one squeue, whatever their number."""

from collections.abc import Sequence
from datetime import timedelta

from paracloud.dialects.answers import broken, one_word
from paracloud.dialects.records import NativePhase, Observation
from paracloud.dialects.slurm.answers import SLURM, timed
from paracloud.dialects.slurm.states import listed_phase
from paracloud.dialects.slurm.table import rows
from paracloud.dialects.slurm.text import account_name, epoch
from paracloud.dialects.tags import tag_of
from paracloud.dialects.text import count, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, UnixAccount

# Array's or job's id, task, account, state, submitted, start (planned or real), nodes; reasons may hold anything.
_COLUMNS = "%F|%K|%u|%T|%V|%S|%N|%r"
_NAME = "%.40j"
_ONCE_STARTED = frozenset(NativePhase) - {NativePhase.QUEUED, NativePhase.HELD, NativePhase.UNKNOWN}


def observe(accounts: Sequence[UnixAccount], nonce: str) -> Command[Sequence[Observation]]:
    if not accounts:
        return Command(argv=("true",), parse=lambda _: (), cost=0)
    words = ("squeue", "-h", "-a", "-t", "all", "-u", one_word(accounts, "account"), "-o", _COLUMNS + nonce + _NAME)
    argv = timed(*words)

    def parse(completed: Completed) -> Sequence[Observation]:
        found = rows(SLURM.output_of(completed, argv), nonce, 2, completed, argv)
        if not found and b"Invalid user" in completed.stderr:
            # squeue ends well where the centre's directory of users is silent; its empty list says nothing then.
            raise SLURM.unreachable(completed.stderr.decode(errors="replace"))
        try:
            return tuple(_observation(fixed, name) for fixed, name in found)
        except ValueError as error:
            raise broken(
                f"gave a row that is not understood: {error}", "给出了无法理解的一行", completed, argv
            ) from None

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60))


def _observation(fixed: str, name: str) -> Observation:
    job, task, account, state, submitted, started, node_list, reason = fixed.split("|", 7)
    phase = listed_phase(state, reason)
    return Observation(
        native_id=NativeId(str(count(job))),
        task_index=count(task) if task.isdigit() else None,
        tag=tag_of(name.strip()),
        account=account_name(account),
        phase=phase,
        native_state=printable(state, 64),
        reason="" if reason == "None" else printable(reason, 200),
        submitted_at=epoch(submitted),
        # A waiting job has a planned start there.
        started_at=epoch(started) if phase in _ONCE_STARTED else None,
        node_list=printable(node_list, 1000),
    )
