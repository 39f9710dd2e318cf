"""Accounting: what ran, for whom, for how long. From the server's own accounting logs where this account may read them
on the login node, else from what the server remembers of ended jobs: OpenPBS's job history (job_history_enable), or the
jobs that Torque keeps (keep_completed, at least some minutes).

The logs are read by the reader of old logs, so a record is judged alike, and metered under the same id, whichever way
it came."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from paracloud.dialects.answers import one_word
from paracloud.dialects.history import RAW_LIMIT, HistoryRecord, accounted, why
from paracloud.dialects.pbs.answers import output_though_gone
from paracloud.dialects.pbs.flavour import Flavour
from paracloud.dialects.pbs.history import execution, pairs_of, parts_of
from paracloud.dialects.pbs.ids import PbsId, native_id, pbs_id, tag_in
from paracloud.dialects.pbs.listing import SHOW, odd
from paracloud.dialects.pbs.remembered import as_logged, start_of, status_of
from paracloud.dialects.pbs.states import ENDED
from paracloud.dialects.pbs.text import owner
from paracloud.dialects.records import Accounted, AccountingRecord, NativePhase, Unread
from paracloud.dialects.text import count, instant, or_none, printable
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
_USER = re.compile(r"(?:;|^)user=([^ ]*)")


def account(
    flavour: Flavour, start: datetime, end: datetime, accounts: Sequence[UnixAccount], nonce: str
) -> Command[Accounted]:
    """A job that never ran is in no log. `account_of` finds it."""
    if not accounts:
        return Command(argv=("true",), parse=lambda _: Accounted(), cost=0)
    users = one_word(accounts, "account")
    # A zone is at most 14 hours ahead and 12 behind, so the server's dates are among these.
    days = [start + number * _DAY for number in range(-1, (end - start).days + 3)]
    since = start.strftime("%Y%m%d%H%M.%S")
    pick = ("env", "TZ=UTC0", *(word.replace("SINCE", since) for word in flavour.ended), "-u", users)
    show = ("env", "TZ=UTC0", *flavour.finished)
    names = " ".join(day.strftime("%Y%m%d") for day in days)
    argv = ("bash", "-c", _WINDOW, "paracloud-account", nonce, users, names, str(len(pick)), *pick, *show)

    def parse(completed: Completed) -> Accounted:
        found = _accounted(flavour, completed, nonce, argv).ended_in(start, end)
        return Accounted(tuple(one for one in found if one.account in accounts), found.unread)

    return Command(argv=argv, parse=parse, timeout=timedelta(seconds=120), cost=2)


def account_of(flavour: Flavour, ids: Sequence[NativeId], nonce: str) -> Command[Accounted]:
    if not ids:
        return Command(argv=("true",), parse=lambda _: Accounted(), cost=0)
    asked = frozenset(_job(job) for job in ids)
    show = ("env", "TZ=UTC0", *flavour.finished)
    argv = ("bash", "-c", _OF_IDS, "paracloud-account", nonce, "1", "cat", *show)

    def parse(completed: Completed) -> Accounted:
        found = _accounted(flavour, completed, nonce, argv)
        return Accounted(tuple(one for one in found if one.native_id in asked), found.unread)

    stdin = "".join(f"{job}\n" for job in ids).encode()
    return Command(argv=argv, parse=parse, stdin=stdin, timeout=timedelta(seconds=120))


def _accounted(flavour: Flavour, completed: Completed, nonce: str, argv: Sequence[str]) -> Accounted:
    """What the logs say comes before what the server remembers of the same execution."""
    _, *answers = output_though_gone(flavour.answers, completed, argv).split(f"\n{nonce}")
    found: dict[tuple[str, datetime], AccountingRecord] = {}
    unread: list[Unread] = []
    try:
        if not answers or not answers[-1].startswith(" end"):
            flavour.answers.output_of(completed, argv)
            raise ValueError("it is not whole")
        for answer in answers[:-1]:
            if answer.startswith(" logs\n"):
                rows = _of_logs(answer.removeprefix(" logs\n"))
            else:
                rows = _remembered(flavour.read_jobs(answer.strip()))
            for row in rows:
                one = _read(row)
                if isinstance(one, Unread):
                    unread.append(one)
                elif one is not None:
                    found.setdefault((one.record_id, one.submitted_at), one)
    except (ValueError, KeyError) as error:
        raise odd(error, completed, argv) from None
    return Accounted(tuple(found.values()), tuple(unread))


@dataclass(frozen=True, slots=True)
class _Row:
    """What is said of one execution, before it is understood. `pairs`: by the names of a log's record of type E."""

    id: str
    pairs: Callable[[], Mapping[str, str]]
    raw: str


def _of_logs(text: str) -> Iterator[_Row]:
    for line in filter(None, text.split("\n")):
        try:
            kind, job, said = parts_of(line)
        except ValueError:
            kind, job, said = "E", "", ""
        # Of ids only a text was looked for, which another line may hold.
        if kind == "E":
            yield _Row(job, partial(pairs_of, said), line)


def _remembered(jobs: Mapping[str, Mapping[str, str]]) -> Iterator[_Row]:
    """Of what has ended. An array whose tasks are listed is told by them alone."""
    ids = {name: pbs_id(name) for name in jobs}
    by_tasks = {one.job for one in ids.values() if one.task_index is not None}
    for name, said in jobs.items():
        is_told = ids[name].task_index is not None or ids[name].job not in by_tasks
        if is_told and said["job_state"] in ENDED and (status_of(said) or not start_of(said)):
            raw = " ".join(f"{key}={said[key]}" for key in sorted(said))
            yield _Row(name, partial(as_logged, said), raw)


def _read(row: _Row) -> AccountingRecord | Unread | None:
    try:
        return _record(pbs_id(row.id), row.pairs(), row.raw)
    except (ValueError, KeyError) as error:
        en, zh = why(error)
        said = or_none(row.pairs) or {}
        return Unread(
            native_id=or_none(lambda: NativeId(pbs_id(row.id).job)),
            # The first word, by which the log was searched.
            account=or_none(lambda: owner(said["user"])) or or_none(lambda: owner(_USER.findall(row.raw)[0])),
            ended_at=or_none(lambda: instant(count(said["end"]))),
            en=en,
            zh=zh,
            raw=printable(row.raw, RAW_LIMIT),
        )


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


def _job(job: NativeId) -> NativeId:
    try:
        return native_id(job)
    except ValueError:
        raise Invalid(f"{job!r} is no PBS job.", f"{job!r} 不是 PBS 作业号。", field="id") from None
