"""Accounting: what ran, for whom, for how long. From the server's own accounting logs where this account may read them
on the login node, else from what the server remembers of ended jobs: OpenPBS's job history (job_history_enable), or the
jobs that Torque keeps (keep_completed, at least some minutes).

The logs are read by the reader of old logs, so a record is judged alike, and metered under the same id, whichever way
it came."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from paracloud.dialects.answers import one_word
from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, accounted
from paracloud.dialects.pbs.answers import output_though_gone
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.history import execution, pairs_of, parts_of
from paracloud.dialects.pbs.ids import PbsId, native_id, pbs_id, tag_in
from paracloud.dialects.pbs.listing import SHOW, odd
from paracloud.dialects.pbs.states import ENDED
from paracloud.dialects.pbs.text import moment, owner, wall
from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.dialects.text import printable
from paracloud.kit.command import Command, Completed
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import NativeId, UnixAccount

# Finds the folder of the logs, one file a day by the server's own date, and leaves it empty where it cannot be read.
_LOGS = r"""
home=$(sed -n 's/^PBS_HOME=//p' "${PBS_CONF_FILE:-/etc/pbs.conf}" 2>/dev/null | tail -n 1)
logs=
for place in "$home" /var/spool/pbs /var/spool/torque /var/lib/torque; do
  [ -n "$place" ] && [ -r "$place/server_priv/accounting" ] && [ -x "$place/server_priv/accounting" ] || continue
  logs=$place/server_priv/accounting
  break
done
"""
# Arguments: nonce, accounts, days; then those of SHOW, for where there are no logs.
_WINDOW = (
    _LOGS
    + r"""
nonce=$1 users=$2 days=$3
shift 3
if [ -n "$logs" ]; then
  printf '\n%s logs\n' "$nonce"
  for day in $days; do
    [ -r "$logs/$day" ] || continue
    awk -F ';' -v users="$users" 'BEGIN { n = split(users, names, ","); for (i = 1; i <= n; i++) of["user=" names[i]] }
      $2 == "E" { split($4, words, " "); if (words[1] in of) print }' "$logs/$day" || exit
  done
  printf '\n%s end\n' "$nonce"
  exit
fi
set -- "$nonce" "$@"
"""
    + SHOW
)
# The ids come by standard input, and both the logs and the server are asked: a job that never ran is in no log.
_OF_IDS = (
    _LOGS
    + r"""
nonce=$1 listed=$(cat)
if [ -n "$logs" ]; then
  printf '\n%s logs\n' "$nonce"
  for id in $listed; do printf ';E;%s.\n;E;%s[\n;E;%s-\n' "$id" "${id%%[!0-9]*}" "${id%%[!0-9]*}"; done |
    LC_ALL=C grep -hF -f - -- "$logs"/[0-9]*[0-9]
fi
exec < <(printf '%s\n' "$listed")
"""
    + SHOW
)
_DAY = timedelta(days=1)


def account(
    flavour: Flavour, start: datetime, end: datetime, accounts: Sequence[UnixAccount], nonce: str
) -> Command[Sequence[AccountingRecord]]:
    """A job that never ran is in no log. `account_of` finds it."""
    if not accounts:
        return Command(argv=("true",), parse=lambda _: (), cost=0)
    users = one_word(accounts, "account")
    # A zone is at most 14 hours ahead and 12 behind, so the server's dates are among these.
    days = [start + number * _DAY for number in range(-1, (end - start).days + 3)]
    since = start.strftime("%Y%m%d%H%M.%S")
    pick = ("env", "TZ=UTC0", *(word.replace("SINCE", since) for word in flavour.ended), "-u", users)
    show = ("env", "TZ=UTC0", *flavour.finished)
    names = " ".join(day.strftime("%Y%m%d") for day in days)
    argv = ("bash", "-c", _WINDOW, "paracloud-account", nonce, users, names, str(len(pick)), *pick, *show)

    def parse(completed: Completed) -> Sequence[AccountingRecord]:
        found = _records(flavour, completed, nonce, argv)
        return tuple(one for one in found if start <= one.ended_at < end and one.account in accounts)

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=120), cost=2)


def account_of(flavour: Flavour, ids: Sequence[NativeId], nonce: str) -> Command[Sequence[AccountingRecord]]:
    if not ids:
        return Command(argv=("true",), parse=lambda _: (), cost=0)
    asked = frozenset(_job(job) for job in ids)
    show = ("env", "TZ=UTC0", *flavour.finished)
    argv = ("bash", "-c", _OF_IDS, "paracloud-account", nonce, "1", "cat", *show)

    def parse(completed: Completed) -> Sequence[AccountingRecord]:
        return tuple(one for one in _records(flavour, completed, nonce, argv) if one.native_id in asked)

    stdin = "".join(f"{job}\n" for job in ids).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=120))


def _records(flavour: Flavour, completed: Completed, nonce: str, argv: Sequence[str]) -> list[AccountingRecord]:
    """What the logs say comes before what the server remembers of the same execution."""
    _, *answers = output_though_gone(flavour.answers, completed, argv).split(f"\n{nonce}")
    found: dict[tuple[str, datetime], AccountingRecord] = {}
    try:
        if not answers or not answers[-1].startswith(" end"):
            flavour.answers.output_of(completed, argv)
            raise ValueError("it is not whole")
        for answer in answers[:-1]:
            if answer.startswith(" logs\n"):
                records = _of_logs(answer.removeprefix(" logs\n"))
            else:
                records = _remembered(flavour.read_jobs(answer.strip()))
            for one in records:
                found.setdefault((one.record_id, one.submitted_at), one)
    except (ValueError, KeyError) as error:
        raise odd(error, completed, argv) from None
    return list(found.values())


def _of_logs(text: str) -> Iterator[AccountingRecord]:
    for line in filter(None, text.split("\n")):
        kind, job, said = parts_of(line)
        # Of ids only a text was looked for, which another line may hold.
        record = _record(pbs_id(job), pairs_of(said), line) if kind == "E" else None
        if record is not None:
            yield record


def _remembered(jobs: Mapping[str, Mapping[str, str]]) -> Iterator[AccountingRecord]:
    """Of what has ended. An array whose tasks are listed is told by them alone."""
    ids = {name: pbs_id(name) for name in jobs}
    by_tasks = {one.job for one in ids.values() if one.task_index is not None}
    for name, said in jobs.items():
        is_told = ids[name].task_index is not None or ids[name].job not in by_tasks
        if is_told and said["job_state"] in ENDED and (_status(said) or not _start(said)):
            record = _record(ids[name], _as_logged(said), " ".join(f"{key}={said[key]}" for key in sorted(said)))
            if record is not None:
                yield record


def _record(one: PbsId, value: Mapping[str, str], raw: str) -> AccountingRecord | None:
    """None for an array as a whole: its hours are those of its tasks; unless none of them ran."""
    has_run = value.get("start", "0") != "0"
    if one.is_array_itself and has_run:
        return None
    told = dict(value)
    if not has_run:
        told |= {"start": told["end"], "exec_host": "", "total_execution_slots": "0", "Resource_List.ncpus": "0"}
    number = NativeId(one.job.removesuffix("[]"))
    record = execution(number, one.task_index, told, printable(raw, RAW_LIMIT))
    known = accounted(_judged(record), tag=tag_in(record.name, one.task_index))
    known = replace(known, native_id=one.job, account=owner(told["user"]))
    return known if has_run else _never_ran(known)


def _judged(record: HistoryRecord) -> HistoryRecord:
    """PBS ends a job at its limit by the same signal as qdel does: its status alone does not tell them apart."""
    if record.phase is NativePhase.CANCELLED and record.wall_limit and _elapsed(record) >= record.wall_limit:
        return replace(record, phase=NativePhase.TIMEOUT)
    return record


def _elapsed(record: HistoryRecord) -> timedelta:
    return timedelta(seconds=record.elapsed_seconds)


def _never_ran(record: AccountingRecord) -> AccountingRecord:
    phase = NativePhase.CANCELLED if record.phase is NativePhase.COMPLETED else record.phase
    return replace(
        record, phase=phase, started_at=None, elapsed_seconds=0, cores=0, nodes=0, gpus=0, memory_bytes=0, node_list=""
    )


def _as_logged(said: Mapping[str, str]) -> dict[str, str]:
    """What qstat tells of an ended job, by the names and in the units of a log's record of type E."""
    start, end = _start(said), _end(said)
    times = {"ctime": said.get("ctime"), "qtime": said.get("qtime"), "etime": said.get("etime")}
    return {
        **{name: value for name, value in said.items() if name.startswith("Resource_List.")},
        **{name: said[name] for name in ("queue", "exec_host", "exec_vnode", "exec_gpus", "project") if name in said},
        **{name: _seconds(moment(text)) for name, text in times.items() if text},
        "user": owner(said["Job_Owner"]),
        "group": said.get("egroup", ""),
        "account": said.get("Account_Name", ""),
        "jobname": said.get("Job_Name", ""),
        "start": _seconds(start),
        "end": _seconds(end),
        "Exit_status": _status(said) or "271",
    }


def _status(said: Mapping[str, str]) -> str:
    return said.get("Exit_status") or said.get("exit_status") or ""


def _start(said: Mapping[str, str]) -> datetime | None:
    return moment(said.get("stime") or said.get("start_time") or "")


def _end(said: Mapping[str, str]) -> datetime | None:
    """As it is told, or what it used up after its start; the last change of the job where it never ran."""
    told = moment(said.get("obittime") or said.get("comp_time") or "")
    start, used = _start(said), wall(said.get("resources_used.walltime", ""))
    if told is None and start is not None and used is not None:
        return start + used
    return told or moment(said.get("mtime", ""))


def _seconds(time: datetime | None) -> str:
    return "0" if time is None else str(int(time.timestamp()))


def _job(job: NativeId) -> NativeId:
    try:
        return native_id(job)
    except ValueError:
        raise Invalid(f"{job!r} is no PBS job.", f"{job!r} 不是 PBS 作业号。", field="id") from None
