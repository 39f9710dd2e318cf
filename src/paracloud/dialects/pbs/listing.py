"""The queue listing: all jobs of these accounts. One command picks their ids, one more shows them; a centre's own tens
of thousands of other jobs are not printed."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import timedelta

from paracloud.dialects.answers import broken, one_word
from paracloud.dialects.pbs.answers import output_though_gone
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.ids import PbsId, pbs_id, tag_in
from paracloud.dialects.pbs.states import ENDED, listed_phase
from paracloud.dialects.pbs.text import moment, owner
from paracloud.dialects.records import NativePhase, Observation
from paracloud.dialects.text import printable
from paracloud.kit.command import OUTPUT_LIMIT_BYTES, Command, Completed
from paracloud.kit.identifiers import UnixAccount

# Arguments: nonce, number of words of the first command, these, and the words of the second. Twenty thousand ids, of
# which an array is one, fit into one command line.
SHOW = r"""
set -f
nonce=$1 many=$2 status=0
shift 2
pick=("${@:1:many}") show=("${@:many+1}")
listed=$("${pick[@]}") || exit
ids=($listed)
for ((i = 0; i < ${#ids[@]}; i += 20000)); do
  printf '\n%s\n' "$nonce"
  "${show[@]}" "${ids[@]:i:20000}" </dev/null || status=$?
done
printf '\n%s end\n' "$nonce"
exit "$status"
"""
LIMIT_BYTES = 4 * OUTPUT_LIMIT_BYTES
"""PBS prints all that it knows of a job, some 2 kB: of fifty thousand tasks still."""
_END = " end"


def observe(flavour: Flavour, accounts: Sequence[UnixAccount], nonce: str) -> Command[Sequence[Observation]]:
    if not accounts:
        return Command(argv=("true",), parse=lambda _: (), cost=0)
    argv = shown(("qselect", "-u", one_word(accounts, "account")), flavour.listing, nonce)

    def parse(completed: Completed) -> Sequence[Observation]:
        try:
            return tuple(observations(dict(entries(flavour, completed, nonce, argv))))
        except (ValueError, KeyError) as error:
            raise odd(error, completed, argv) from None

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=60), limit_bytes=LIMIT_BYTES, cost=2)


def shown(pick: Sequence[str], show: Sequence[str], nonce: str) -> tuple[str, ...]:
    """The times that are printed are of UTC, whatever the centre's zone."""
    words = ("env", "TZ=UTC0", *pick)
    return ("bash", "-c", SHOW, "paracloud-show", nonce, str(len(words)), *words, "env", "TZ=UTC0", *show)


def entries(
    flavour: Flavour, completed: Completed, nonce: str, argv: Sequence[str]
) -> Iterator[tuple[str, Mapping[str, str]]]:
    """ValueError for an answer that is not whole."""
    _, *answers = output_though_gone(flavour.answers, completed, argv).split(f"\n{nonce}")
    if not answers or not answers[-1].startswith(_END):
        raise ValueError("it is not whole")
    for answer in answers[:-1]:
        yield from flavour.read_jobs(answer.strip()).items()


def observations(found: Mapping[str, Mapping[str, str]]) -> Iterator[Observation]:
    """An array whose tasks are listed is told by them alone."""
    ids = {name: pbs_id(name) for name in found}
    told_by_tasks = {one.job for one in ids.values() if one.task_index is not None}
    for name, attributes in found.items():
        if not (ids[name].is_array_itself and ids[name].job in told_by_tasks):
            yield _observation(ids[name], attributes)


def odd(error: Exception, completed: Completed, argv: Sequence[str]) -> Exception:
    text = printable(str(error), 200)
    return broken(f"gave an answer that is not understood: {text}", "给出了无法理解的答复", completed, argv)


def nodes_in(exec_host: str) -> str:
    """n1,n2 of n1/0*4+n2/0*4."""
    return printable(",".join(dict.fromkeys(part.partition("/")[0] for part in exec_host.split("+") if part)), 1000)


def _observation(one: PbsId, said: Mapping[str, str]) -> Observation:
    state = said["job_state"]
    phase = listed_phase(state, said.get("Exit_status") or said.get("exit_status") or "", said.get("Hold_Types", ""))
    has_run = phase in (NativePhase.RUNNING, NativePhase.ENDING) or state in ENDED
    return Observation(
        native_id=one.job,
        task_index=one.task_index,
        tag=tag_in(said.get("Job_Name", ""), one.task_index),
        account=owner(said["Job_Owner"]),
        phase=phase,
        native_state=printable(state, 64),
        reason=printable(said.get("comment") or ("Dependency" if state == "H" and "depend" in said else ""), 200),
        submitted_at=moment(said.get("ctime") or said.get("qtime") or ""),
        started_at=moment(said.get("stime") or said.get("start_time") or "") if has_run else None,
        node_list=nodes_in(said.get("exec_host", "")),
    )
