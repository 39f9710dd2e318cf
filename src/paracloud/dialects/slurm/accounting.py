"""Accounting: what ran, for whom, for how long, from sacct."""

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from paracloud.dialects.answers import one_word
from paracloud.dialects.history import why
from paracloud.dialects.records import ENDED_PHASES, Accounted, AccountingRecord, NativePhase, Unread
from paracloud.dialects.slurm.answers import SLURM, timed
from paracloud.dialects.slurm.states import accounted_phase
from paracloud.dialects.slurm.table import rows
from paracloud.dialects.slurm.text import account_name, epoch, resources
from paracloud.dialects.slurm.tres import UNALLOCATED, allocated
from paracloud.dialects.tags import tag_of
from paracloud.dialects.text import count, or_none, printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.identifiers import NativeId, UnixAccount

# Without -D a requeued job's earlier runs are hidden. --noconvert: or 62.5 GiB are printed rounded. The list of an
# array's tasks is cut after 64 characters otherwise.
_SACCT = ("SLURM_BITSTR_LEN=0", "sacct", "-X", "-n", "-P", "-D", "--noconvert")
_FIELDS = (
    *("JobIDRaw", "JobID", "User", "Partition", "State", "ExitCode", "Submit", "Start", "End", "ElapsedRaw"),
    *("AllocCPUS", "AllocNodes", "AllocTRES", "NodeList", "QOS", "JobName"),
)
_IDS_AT_A_TIME = 1000
_EACH_LINE = 'while read -r ids; do "$@" -j "$ids" </dev/null || exit; done'
_RAW_LIMIT = 4096
_TASKS = re.compile(r"\[([0-9:,-]{1,10000})(?:%[0-9]+)?\]$", re.ASCII)
_SECOND = timedelta(seconds=1)


def account(start: datetime, end: datetime, accounts: Sequence[UnixAccount], nonce: str) -> Command[Accounted]:
    """A job cancelled while held is in no window: it was never eligible. `account_of` finds it."""
    if not accounts:
        return Command(argv=("true",), parse=lambda _: Accounted(), cost=0)
    window = ("-u", one_word(accounts, "account"), "-S", _instant(start - _SECOND), "-E", _instant(end + 2 * _SECOND))
    argv = (*timed(*_SACCT), *window, f"--delimiter={nonce}", "-o", ",".join(_FIELDS))

    def parse(completed: Completed) -> Accounted:
        return _accounted(completed, nonce, argv).ended_in(start, end)

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=120))


def account_of(ids: Sequence[NativeId], nonce: str) -> Command[Accounted]:
    if not ids:
        return Command(argv=("true",), parse=lambda _: Accounted(), cost=0)
    call = (*timed(*_SACCT), f"--delimiter={nonce}", "-o", ",".join(_FIELDS))
    argv = ("bash", "-c", _EACH_LINE, "paracloud-account", *call)
    lines = [one_word(ids[at : at + _IDS_AT_A_TIME], "id") for at in range(0, len(ids), _IDS_AT_A_TIME)]
    return Command(
        argv=argv,
        parse=lambda completed: _accounted(completed, nonce, argv),
        stdin="".join(line + "\n" for line in lines).encode(),
        timeout=timedelta(seconds=120),
        cost=len(lines),
    )


def _instant(time: datetime) -> str:
    """The command runs in UTC, so this is no centre's local time."""
    return time.strftime("%Y-%m-%dT%H:%M:%S")


def _accounted(completed: Completed, nonce: str, argv: Sequence[str]) -> Accounted:
    records, unread = [], []
    for row in rows(SLURM.output_of(completed, argv), nonce, len(_FIELDS), completed, argv):
        try:
            if (record := _record(row)) is not None:
                records.append(record)
        except (ValueError, KeyError) as error:
            unread.append(_unread(row, error))
    return Accounted(tuple(records), tuple(unread))


def _unread(row: tuple[str, ...], reason: Exception) -> Unread:
    value = dict(zip(_FIELDS, row, strict=True))
    en, zh = why(reason)
    return Unread(
        native_id=or_none(lambda: NativeId(str(_job_and_tasks(value["JobID"])[0]))),
        account=or_none(lambda: account_name(value["User"])),
        ended_at=or_none(lambda: epoch(value["End"])),
        en=en,
        zh=zh,
        raw=printable("|".join(row), _RAW_LIMIT),
    )


def _record(row: tuple[str, ...]) -> AccountingRecord | None:
    """None: this job has not ended, or accounting has not heard all of it yet. The end of a short job may arrive
    before its submission (up to 4 s, measured with 22.05): until then it is root's, in no queue, and called
    "allocation"."""
    value = dict(zip(_FIELDS, row, strict=True))
    phase, ended = accounted_phase(value["State"]), epoch(value["End"])
    submitted, started = epoch(value["Submit"]), epoch(value["Start"])
    if submitted is None:
        raise ValueError("no submit time")
    if ended is None or phase not in ENDED_PHASES | {NativePhase.UNKNOWN} or not value["Partition"]:
        return None
    job, task, unstarted = _job_and_tasks(value["JobID"])
    # Slurm keeps a start for some jobs that were never given a node, and their CPUs are those asked for.
    ran = started is not None and bool(resources(value["AllocTRES"]))
    had = allocated(value["AllocTRES"]) if ran else UNALLOCATED
    exit_code, _, exit_signal = value["ExitCode"].partition(":")
    return AccountingRecord(
        native_id=NativeId(str(job)),
        record_id=NativeId(str(count(value["JobIDRaw"]))),
        task_index=task,
        # 22.05 does not tell how often. Each run has a submit time of its own, and its database keeps at most one
        # record for each id and submit time, so these two tell runs apart.
        restart_count=0,
        tag=tag_of(value["JobName"]),
        name=printable(value["JobName"]),
        account=account_name(value["User"]),
        queue=printable(value["Partition"], 200),
        phase=phase,
        native_state=printable(value["State"], 64),
        exit_code=count(exit_code),
        exit_signal=count(exit_signal),
        submitted_at=submitted,
        started_at=started if ran else None,
        ended_at=ended,
        elapsed_seconds=count(value["ElapsedRaw"]) if ran else 0,
        cores=count(value["AllocCPUS"]) if ran else 0,
        nodes=count(value["AllocNodes"]) if ran else 0,
        gpus=had.gpus,
        memory_bytes=had.memory_bytes,
        node_list=printable(value["NodeList"], 1000) if ran else "",
        raw=printable("|".join(row), _RAW_LIMIT),
        unstarted=unstarted,
        qos=printable(value["QOS"], 200),
        resources=had.resources,
    )


def _job_and_tasks(text: str) -> tuple[int, int | None, str | None]:
    """4711; 4711_3; 4711_[7-8%2], an array's tasks that never started, ended as one record without an index. A list
    that was cut ends with dots."""
    job, underscore, task = text.partition("_")
    if not underscore or not task.startswith("["):
        return count(job), count(task) if underscore else None, None
    tasks = _TASKS.match(task)
    return count(job), None, tasks[1] if tasks else None
