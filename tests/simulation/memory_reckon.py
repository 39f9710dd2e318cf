"""Settle accounting records in memory, by the same pure rules as the PostgreSQL book."""

from collections import defaultdict
from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from tests.simulation.memory_store import MemoryStore
from tests.simulation.rows import CentreRow, JobRow, TaskRow

from paracloud.centres.centre import Owner
from paracloud.dialects.records import AccountingRecord
from paracloud.jobs.array import indexes, unstarted_of
from paracloud.jobs.book import Settled
from paracloud.jobs.finish import End
from paracloud.jobs.match import Known, Match, Whose, match
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.outcome import TaskEnd, end_of_job, end_of_task
from paracloud.jobs.state import AT_CENTRE, FINAL, JobState
from paracloud.kit.identifiers import NativeId, SubmitTag, UnixAccount
from paracloud.metering.usage import Usage, UsageKey, differs, key_of, measured, require_possible

NOT_THEIRS = (Whose.DUPLICATE, Whose.BY_HAND)


def reckon(
    store: MemoryStore,
    centre: CentreRow,
    records: Sequence[AccountingRecord],
    *,
    alive: Collection[NativeId],
    read_until: datetime | None,
    now: datetime,
    counted: Collection[UsageKey],
) -> Settled:
    """`counted` are the usages known before."""
    for record in records:
        require_possible(record)
    matches = match(records, _known(store, centre), _lent(centre))
    due = [one for one in matches if one.whose is not Whose.NOT_YET]
    latest = {key_of(centre.name, one.record): one for one in due if one.project is not None}
    new = [_fresh(store, key, one) for key, one in latest.items() if key not in counted]
    corrected = [
        _corrected(store.usages[key], one.record)
        for key, one in latest.items()
        if key in counted and differs(store.usages[key], one.record)
    ]
    store.usages.update({usage.key: usage for usage in (*new, *corrected)})
    store.ledger.charge([*new, *corrected], centre.terms)
    changed = {usage.key for usage in (*new, *corrected)}
    _end(store, centre, [one for one in due if one.whose is Whose.JOB], changed, frozenset(alive), now)
    _hand_over(store, centre, due, now)
    if read_until is not None:
        centre.read_until = max(centre.read_until or read_until, read_until)
    strangers = sum(1 for one in due if one.project is None)
    again = len(latest) - len(new) - len(corrected)
    return Settled(len(new), len(corrected), again, strangers, waiting=len(matches) - len(due))


def _lent(centre: CentreRow) -> dict[UnixAccount, Owner]:
    """From before all time: whose an account was before is another test's question."""
    return {account: Owner(project, datetime.min.replace(tzinfo=UTC)) for account, project in centre.owners.items()}


def _known(store: MemoryStore, centre: CentreRow) -> dict[SubmitTag, Known]:
    before: dict[str, set[NativeId]] = defaultdict(set)
    for usage in store.usages.values():
        if usage.key.centre == centre.name and usage.is_duplicate:
            before[usage.name].add(usage.native_id)
    found = {
        row.tag: Known(
            row.id,
            row.account,
            row.native_id,
            row.tries,
            row.spec.cores,
            frozenset(before[f"pc-{row.tag}"]),
            has_left=_has_left(row),
        )
        for row in centre.jobs.values()
    }
    for tag, of in centre.left.items():
        doubles = frozenset(before[f"pc-{tag}"])
        is_given_up = of.remains is not None
        known = Known(of.job, of.account, of.native_id, of.tries, of.cores, doubles, True, is_given_up)
        found.setdefault(tag, known)
    return found


def _has_left(row: JobRow) -> bool:
    return row.move is not None and row.move.step is MoveStep.CANCELLING


def _hand_over(store: MemoryStore, centre: CentreRow, matches: Sequence[Match], now: datetime) -> None:
    """Jobs whose own native jobs have ended, and were not theirs any more."""
    ended = {(one.record.tag, one.record.native_id, one.record.account) for one in matches if one.whose in NOT_THEIRS}
    for row in list(centre.jobs.values()):
        if (row.tag, row.native_id, row.account) in ended and row.state in AT_CENTRE and _has_left(row):
            store.hand_over(row, now)


def _fresh(store: MemoryStore, key: UsageKey, one: Match) -> Usage:
    assert one.project is not None
    same: dict[str, Any] = dict(measured(one.record))
    return Usage(
        id=store.new_usage_id(),
        key=key,
        revision=1,
        project=one.project,
        account=one.record.account,
        reference=str(one.job) if one.whose is Whose.JOB else None,
        is_duplicate=one.whose in (Whose.DUPLICATE, Whose.GIVEN_UP),
        native_id=one.record.native_id,
        task_index=one.record.task_index,
        name=one.record.name,
        **same,
    )


def _corrected(usage: Usage, record: AccountingRecord) -> Usage:
    same: dict[str, Any] = dict(measured(record))
    return replace(usage, revision=usage.revision + 1, **same)


def _end(
    store: MemoryStore,
    centre: CentreRow,
    matches: Sequence[Match],
    changed: Collection[UsageKey],
    alive: frozenset[NativeId],
    now: datetime,
) -> None:
    touched: dict[NativeId, JobRow] = {}
    for one in matches:
        assert one.job is not None
        row, key = centre.jobs[one.job], key_of(centre.name, one.record)
        state = end_of_task(one.record, frozenset() if row.state is JobState.LOST else alive)
        if state is None or (row.state in FINAL - {JobState.LOST} and key not in changed):
            continue
        _put(store, row, one.record, state)
        touched[one.record.native_id] = row
    for row in touched.values():
        tasks = store.tasks[row.id]
        if len(tasks) >= row.tasks:
            end = end_of_job([tasks[index].end for index in sorted(tasks)])
            store.finish([End(row.id, end.state, end.ended_at, native_state=end.native_state)], now)


def _put(store: MemoryStore, row: JobRow, record: AccountingRecord, state: JobState) -> None:
    """The newest run of a task stays; a record for all tasks that never started fills those that have none."""
    end = TaskEnd(
        state=state,
        exit_code=record.exit_code,
        exit_signal=record.exit_signal,
        started_at=record.started_at,
        ended_at=record.ended_at,
        native_state=record.native_state,
        node_list=record.node_list,
    )
    new = TaskRow((record.submitted_at, record.restart_count), end)
    tasks, array = store.tasks[row.id], row.spec.array
    if array is not None and record.task_index is None:
        for index in sorted(unstarted_of(array, record.unstarted)):
            tasks.setdefault(index, new)
        return
    index = record.task_index if array is not None and record.task_index is not None else 0
    if (array is None or index in indexes(array)) and (index not in tasks or new.run >= tasks[index].run):
        tasks[index] = new
