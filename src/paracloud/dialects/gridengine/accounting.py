"""Accounting: what ran, for whom, for how long, from the cell's accounting file; and what was deleted before it ran,
of which only the job log in the reporting file tells (reporting_params reporting=true joblog=true; man 5 reporting)."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from paracloud.dialects.answers import broken, one_word
from paracloud.dialects.gridengine import arrays
from paracloud.dialects.gridengine.answers import CELL, GRID_ENGINE
from paracloud.dialects.gridengine.history import Reading, booked_memory, gpus_of_job, moment
from paracloud.dialects.gridengine.text import account_name
from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, accounted, why
from paracloud.dialects.records import Accounted, AccountingRecord, NativePhase, Unread
from paracloud.dialects.tags import tag_of
from paracloud.dialects.text import count, instant, or_none, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, UnixAccount

ROWS_MOST = 250_000
DELETED = "deleted"
"""The native state of what was deleted while it waited."""

# Standard input names the accounts or the ids, one a line. Both files are read from their end, where the newest lines
# are. They are in the order of writing, which a node that was away disturbs: only five hundred older lines in a row end
# the reading. Lines are marked by the nonce: whatever a start-up file writes is none of them. Of a line that asks for
# nothing it matters which line that asks stands before it, whoever's that is (`line.py`).
_PROGRAM = rf"""{CELL}
nonce=$1 since=$2 wanted=$(cat)
lines() {{
  [ -e "$1" ] || return 0
  case "$(tail -c 1 -- "$1" | od -An -tx1)" in "" | *0a) ;; *) echo "its end is being written" >&2; exit 75 ;; esac
  tac -- "$1" | LC_ALL=C awk -F: -v nonce="$nonce" -v since="$since" -v wanted="$wanted" -v mark="$2" -v who="$3" \
    -v time="$4" '
    BEGIN {{ n = split(wanted, words, "\n"); for (i = 1; i <= n; i++) want[words[i]] }}
    mark == "log" && !($2 == "job_log" && $4 == "deleted" && $8 == "") {{ next }}
    {{ asks = mark == "ran" && !/^#/ && $0 !~ /:NONE:[^:]*:[^:]*:[^:]*:[0-9]*:[0-9]*$/ }}
    {{ at = $time > 100000000000 ? $time / 1000 : $time + 0 }}
    at > 0 && at < since {{ is_over = ++old > 500 }}
    at <= 0 || at >= since {{ if (at > 0) old = 0; if ($who in want && !is_over) is_wanted = 1 }}
    is_wanted {{ print nonce, mark, $0; is_open = !asks && mark == "ran" }}
    !is_wanted && is_open && asks {{ print nonce, "before", $0; is_open = 0 }}
    {{ is_wanted = 0 }}
    is_over && !is_open {{ exit }}'
  case "${{PIPESTATUS[*]}}" in "0 0" | "141 0") ;; *) exit 74 ;; esac
}}
lines "$common/accounting" ran "$3" 11
lines "$common/reporting" log "$4" 3
echo "$nonce end"
"""
_OWNER, _NUMBER = ("4", "15"), ("6", "5")
"""The fields of both files that name the owner, and the job."""
_OF_RUN, _OF_LOG = (4, 6, 11), (15, 5, 3)
"""Owner, job and time in either file."""


def account(start: datetime, end: datetime, accounts: Sequence[UnixAccount], nonce: str) -> Command[Accounted]:
    if not accounts:
        return Command(argv=("true",), parse=lambda _: Accounted(), cost=0)
    one_word(accounts, "account")
    return _command(nonce, int(start.timestamp()), _OWNER, accounts, (start, end))


def account_of(ids: Sequence[NativeId], nonce: str) -> Command[Accounted]:
    if not ids:
        return Command(argv=("true",), parse=lambda _: Accounted(), cost=0)
    one_word(ids, "id")
    return _command(nonce, 0, _NUMBER, ids, None)


def _command(
    nonce: str, since: int, fields: tuple[str, str], wanted: Sequence[str], span: tuple[datetime, datetime] | None
) -> Command[Accounted]:
    argv = ("bash", "-c", _PROGRAM, "paracloud-account", nonce, str(since), *fields)

    def parse(completed: Completed) -> Accounted:
        found = _accounted(completed, nonce, argv)
        return found if span is None else found.ended_in(*span)

    stdin = "".join(f"{one}\n" for one in wanted).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=120))


def _accounted(completed: Completed, nonce: str, argv: Sequence[str]) -> Accounted:
    lines = [line for line in GRID_ENGINE.output_of(completed, argv).split("\n") if line.startswith(f"{nonce} ")]
    if not lines or lines[-1] != f"{nonce} end":
        raise broken("gave only a part of an answer", "只给出了一部分答复", completed, argv)
    if len(lines) > ROWS_MOST:
        raise broken(f"gave more than {ROWS_MOST} rows", f"给出了超过 {ROWS_MOST} 行", completed, argv)
    reading = Reading()
    ran: list[AccountingRecord] = []
    deleted: list[AccountingRecord] = []
    unread = []
    # From the oldest on, as the files have them.
    for mark, _, line in (line.removeprefix(f"{nonce} ").partition(" ") for line in reversed(lines[:-1])):
        try:
            if mark == "log":
                deleted.append(_deleted(line))
            else:
                found = [_record(told, line) for told in reading.tell(0, line) if isinstance(told, HistoryRecord)]
                ran += found if mark == "ran" else ()
        except ValueError as error:
            if mark != "before":
                unread.append(_unread(line, error, _OF_LOG if mark == "log" else _OF_RUN))
    return Accounted((*ran, *deleted), tuple(unread))


def _unread(line: str, reason: ValueError, fields: tuple[int, int, int]) -> Unread:
    """With what can be read of it."""
    words = [*line.split(":"), *[""] * max(fields)]
    owner, number, time = (words[at - 1] for at in fields)
    en, zh = why(reason)
    return Unread(
        native_id=or_none(lambda: NativeId(str(count(number)))),
        account=or_none(lambda: account_name(owner)),
        ended_at=or_none(lambda: moment(time)),
        en=en,
        zh=zh,
        raw=printable(line, RAW_LIMIT),
    )


def _record(told: HistoryRecord, line: str) -> AccountingRecord:
    """Of a centre that was connected it is known besides that `gpu` counts for the job and `h_vmem` is booked, a slot
    each; and one slot is on one host. Usage is judged as in an old log, so that what is read in both ways is the
    same."""
    tag, memory_bytes, task = tag_of(told.name), booked_memory(told, line), told.task_index
    known = {name for name, is_so in (("memory_bytes", memory_bytes is not None), ("nodes", told.cores == 1)) if is_so}
    return replace(
        accounted(told, tag=tag),
        account=account_name(told.user),
        task_index=None if task is None else arrays.task_index(task, is_ours=tag is not None),
        gpus=gpus_of_job(told),
        memory_bytes=memory_bytes or 0,
        unsaid=told.unsaid - known,
    )


def _deleted(line: str) -> AccountingRecord:
    """Such as TIME:job_log:TIME:deleted:18:0:NONE::alice:vm:0:1024:SUBMITTED:NAME:OWNER:GROUP:PROJECT:DEPARTMENT:…,
    where the eighth field, the state it had, is empty: it was never sent to a node."""
    words = line.split(":")
    if len(words) < 18:
        raise ValueError("a line of the job log has too few fields")
    job, tag, task = str(count(words[4])), tag_of(words[13]), words[5]
    index = None if task in arrays.NO_TASK else arrays.task_index(count(task), is_ours=tag is not None)
    return AccountingRecord(
        native_id=NativeId(job),
        record_id=NativeId(job if index is None else f"{job}.{task}"),
        task_index=index,
        restart_count=0,
        tag=tag,
        name=printable(words[13]),
        account=account_name(words[14]),
        queue="",
        phase=NativePhase.CANCELLED,
        native_state=DELETED,
        exit_code=0,
        exit_signal=0,
        submitted_at=instant(count(words[12])),
        started_at=None,
        ended_at=instant(count(words[2])),
        elapsed_seconds=0,
        cores=0,
        nodes=0,
        gpus=0,
        memory_bytes=0,
        node_list="",
        raw=printable(line, RAW_LIMIT),
    )
