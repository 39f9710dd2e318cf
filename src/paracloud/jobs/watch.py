"""See what the queue listing shows of all live jobs: one command, whatever their number. Absence is not an outcome."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from paracloud.dialects.records import ENDED_PHASES, NativePhase, Observation
from paracloud.jobs.book import Book, LiveJob, Move
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.state import JobState
from paracloud.kit.identifiers import JobId, NativeId, SubmitTag

_BROUGHT_BACK = frozenset({NativePhase.NODE_FAILED, NativePhase.REQUEUED})
_RUNS = frozenset({NativePhase.RUNNING, NativePhase.ENDING})


@dataclass(frozen=True, slots=True)
class Listing:
    """Which jobs the listing shows: `alive` have not ended, and of the `failed` all that it shows ended with a lost
    node. `was_asked`: False where nobody has an account there yet, so that the centre was not asked at all. `since`:
    when the task that runs longest began, of each job that runs."""

    alive: frozenset[NativeId] = frozenset()
    failed: frozenset[NativeId] = frozenset()
    was_asked: bool = False
    since: Mapping[JobId, datetime] = field(default_factory=dict)
    shown: Mapping[JobId, frozenset[NativePhase]] = field(default_factory=dict)
    """The phases of each of our jobs that it shows, under its own id, account and tag."""
    seen: Sequence[Observation] = ()
    """All that it shows of our projects' accounts."""


async def watch(book: Book, outpost: Outpost, tenure: Tenure, live: Sequence[LiveJob]) -> Listing:
    """`live` was loaded before, so that a job submitted meanwhile cannot look absent."""
    accounts = await book.accounts(tenure())
    if not accounts:
        return Listing()
    command = outpost.dialect.observe(accounts)
    seen = await outpost.ask(outpost.service_account, command, tenure, purpose="watch/observe")
    await book.observed(tenure(), interpret(live, seen, outpost.clock.now()))
    alive = frozenset(one.native_id for one in seen if one.phase not in ENDED_PHASES)
    failed = frozenset(one.native_id for one in seen if one.phase in _BROUGHT_BACK)
    failed -= {one.native_id for one in seen if one.phase not in _BROUGHT_BACK}
    since, shown = running_since(live, seen), phases_of(live, seen)
    return Listing(alive, failed, was_asked=True, since=since, shown=shown, seen=seen)


def phases_of(live: Sequence[LiveJob], seen: Sequence[Observation]) -> dict[JobId, frozenset[NativePhase]]:
    ours = {(job.native_id, job.account, job.tag): job.job for job in live}
    found: dict[JobId, set[NativePhase]] = defaultdict(set)
    for one in seen:
        job = ours.get((one.native_id, one.account, one.tag or SubmitTag("")))
        if job is not None:
            found[job].add(one.phase)
    return {job: frozenset(phases) for job, phases in found.items()}


def running_since(live: Sequence[LiveJob], seen: Sequence[Observation]) -> dict[JobId, datetime]:
    """By the centre's clock; only of what runs under its own id, account and tag."""
    ours = {(job.native_id, job.account, job.tag): job.job for job in live}
    since: dict[JobId, datetime] = {}
    for one in seen:
        job = ours.get((one.native_id, one.account, one.tag or SubmitTag("")))
        if job is not None and one.started_at is not None and one.phase in _RUNS:
            since[job] = min(since.get(job, one.started_at), one.started_at)
    return since


def interpret(live: Sequence[LiveJob], seen: Sequence[Observation], now: datetime) -> list[Move]:
    """What the listing changes about our jobs; what stays as it is gives no move. An observation is a job's only where
    id, account and tag are its own: ids recycle. Nothing here ends a job."""
    of: dict[tuple[str, str, str | None], list[Observation]] = defaultdict(list)
    for one in seen:
        of[(one.native_id, one.account, one.tag)].append(one)
    moves = (_move(job, of.get((job.native_id, job.account, job.tag), []), now) for job in live)
    return [move for move in moves if move is not None]


def _move(job: LiveJob, seen: Sequence[Observation], now: datetime) -> Move | None:
    if not seen:
        if job.state is JobState.VANISHED:
            return None
        return Move(job.job, JobState.VANISHED, job.native_state, "", None, "", now)
    lead = _lead(seen)
    to = _state(job.state, [one.phase for one in seen])
    is_same = (to, lead.native_state, lead.reason) == (job.state, job.native_state, job.reason)
    if is_same and job.absent_since is None:
        return None
    return Move(job.job, to, lead.native_state, lead.reason, _started(seen), lead.node_list, now)


def _state(current: JobState, phases: Sequence[NativePhase]) -> JobState:
    """An array runs as soon as one of its tasks has; it is ending when all that the listing shows have ended."""
    known = [phase for phase in phases if phase is not NativePhase.UNKNOWN]
    if not known:
        return JobState.QUEUED if current is JobState.VANISHED else current
    if all(phase in ENDED_PHASES - {NativePhase.REQUEUED} for phase in known):
        return JobState.ENDING
    if all(phase in (NativePhase.QUEUED, NativePhase.HELD, NativePhase.REQUEUED) for phase in known):
        return JobState.QUEUED
    return JobState.RUNNING


def _lead(seen: Sequence[Observation]) -> Observation:
    """The one whose native state and reason are shown: a running task before a waiting one before an ended one."""
    return min(seen, key=lambda one: (_rank(one.phase), one.task_index if one.task_index is not None else -1))


def _rank(phase: NativePhase) -> int:
    if phase in (NativePhase.RUNNING, NativePhase.ENDING):
        return 0
    return 2 if phase in ENDED_PHASES else 1


def _started(seen: Sequence[Observation]) -> datetime | None:
    has_run = (NativePhase.RUNNING, NativePhase.ENDING, *ENDED_PHASES)
    return min((one.started_at for one in seen if one.started_at is not None and one.phase in has_run), default=None)
