"""The worker's book in memory: each method is one transaction that begins with a look at the lease's fence."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import TypeVar

from tests.simulation.line import Line
from tests.simulation.memory_reckon import reckon
from tests.simulation.memory_store import MemoryStore
from tests.simulation.rows import CentreRow, JobRow

from paracloud.centres.leases import fenced
from paracloud.dialects.records import AccountingRecord
from paracloud.jobs.answer import backoff
from paracloud.jobs.book import Departure, Dispatch, LiveJob, Move, Settled, Wish
from paracloud.jobs.finish import End
from paracloud.jobs.given_up import GivenUp, Remains
from paracloud.jobs.intend import NEVER, Need, need
from paracloud.jobs.leave import BEFORE_PLACE
from paracloud.jobs.moving import MoveStep
from paracloud.jobs.request import request
from paracloud.jobs.state import AT_CENTRE, BEFORE_CENTRE, FINAL, JobState
from paracloud.jobs.wish import CANCEL, SIGNAL
from paracloud.kit.clock import Clock
from paracloud.kit.errors import Refused
from paracloud.kit.identifiers import CentreName, JobId, NativeId, SubmitTag, UnixAccount
from paracloud.kit.lease import Lease
from paracloud.metering.usage import UsageKey

T = TypeVar("T")


class MemoryBook:
    """Implements `Book`."""

    def __init__(self, store: MemoryStore, line: Line, clock: Clock) -> None:
        self._store, self._line, self._clock = store, line, clock

    async def accounts(self, lease: Lease) -> Sequence[UnixAccount]:
        return await self._under(lease, lambda centre: sorted(centre.owners))

    async def intend(self, lease: Lease, *, limit: int) -> Sequence[Dispatch]:
        return await self._under(lease, lambda centre: tuple(self._intend(centre, limit)))

    async def submitted(
        self, lease: Lease, answers: Mapping[JobId, NativeId | Refused], *, postponed: Mapping[JobId, str]
    ) -> None:
        if answers or postponed:
            await self._under(lease, lambda centre: self._answered(centre, answers, postponed))

    async def live(self, lease: Lease) -> Sequence[LiveJob]:
        return await self._under(lease, lambda centre: [_live(row) for row in _in(centre, AT_CENTRE)])

    async def observed(self, lease: Lease, moves: Sequence[Move]) -> None:
        def act(centre: CentreRow) -> None:
            for move in moves:
                if move.job in centre.jobs:
                    self._observe(centre.jobs[move.job], move)

        if moves:
            await self._under(lease, act)

    async def wishes(self, lease: Lease) -> Sequence[Wish]:
        def act(centre: CentreRow) -> list[Wish]:
            wished = [row for row in _in(centre, AT_CENTRE - {JobState.VANISHED}) if row.wish is not None]
            return [_wish(row) for row in wished if row.wish == CANCEL or not is_leaving(row)]

        return await self._under(lease, act)

    async def granted(self, lease: Lease, wishes: Sequence[Wish]) -> None:
        def act(centre: CentreRow) -> None:
            for wish in wishes:
                row = centre.jobs.get(wish.job)
                if row is not None and row.wish == wish.kind:
                    row.wish = None

        if wishes:
            await self._under(lease, act)

    async def departures(self, lease: Lease) -> Sequence[Departure]:
        return await self._under(lease, lambda centre: [_departure(row) for row in _moving(centre, AT_CENTRE)])

    async def leave(self, lease: Lease, job: JobId) -> None:
        def act(centre: CentreRow) -> None:
            for row in _moving(centre, frozenset({JobState.QUEUED}), (job,)):
                if row.move is not None and row.move.step is MoveStep.HOLDING and not row.has_started:
                    self._store.leave(row)

        await self._under(lease, act)

    async def fenced(self, lease: Lease, ours: Mapping[JobId, bool]) -> None:
        def act(centre: CentreRow) -> None:
            for row in _moving(centre, AT_CENTRE, tuple(ours)):
                if row.move is not None and row.move.step is MoveStep.LEAVING:
                    row.move.step = MoveStep.CANCELLING if ours[row.id] else MoveStep.RELEASING

        await self._under(lease, act)

    async def stay(self, lease: Lease, jobs: Sequence[JobId]) -> None:
        def act(centre: CentreRow) -> None:
            for row in _moving(centre, AT_CENTRE, jobs):
                if row.move is not None and row.move.step in BEFORE_PLACE:
                    row.move = None

        await self._under(lease, act)

    async def remains(self, lease: Lease) -> Sequence[GivenUp]:
        def act(centre: CentreRow) -> list[GivenUp]:
            left = [(tag, of) for tag, of in centre.left.items() if of.remains is not None]
            return [GivenUp(of.job, tag, of.account, of.remains) for tag, of in left if of.remains is not Remains.OVER]

        return await self._under(lease, act)

    async def marked(self, lease: Lease, ours: Mapping[SubmitTag, bool]) -> None:
        def act(centre: CentreRow) -> None:
            for tag, is_ours in ours.items():
                if centre.left[tag].remains is Remains.UNREACHED:
                    found = Remains.FENCED if is_ours else Remains.STARTED
                    centre.left[tag] = replace(centre.left[tag], remains=found)

        await self._under(lease, act)

    async def cleared(self, lease: Lease, tags: Sequence[SubmitTag]) -> None:
        def act(centre: CentreRow) -> None:
            for tag in tags:
                if centre.left[tag].remains in (Remains.FENCED, Remains.STARTED):
                    centre.left[tag] = replace(centre.left[tag], remains=Remains.OVER)

        await self._under(lease, act)

    async def accounted_until(self, lease: Lease) -> datetime | None:
        return await self._under(lease, lambda centre: centre.read_until)

    async def settle(
        self,
        lease: Lease,
        records: Sequence[AccountingRecord],
        *,
        alive: Sequence[NativeId],
        read_until: datetime | None,
    ) -> Settled:
        def act(centre: CentreRow) -> Settled:
            now, counted = self._clock.now(), self._counted()
            return reckon(self._store, centre, records, alive=alive, read_until=read_until, now=now, counted=counted)

        return await self._under(lease, act)

    async def lose(self, lease: Lease, jobs: Sequence[JobId]) -> None:
        def act(centre: CentreRow) -> None:
            now = self._clock.now()
            for row in _moving(centre, AT_CENTRE, jobs):
                if row.move is not None and row.move.step is MoveStep.CANCELLING:
                    self._store.hand_over(row, now)
            ends = [End(job, JobState.LOST, now) for job in jobs if job in centre.jobs]
            self._store.finish(ends, now, allowed=lambda row: row.state in AT_CENTRE)

        if jobs:
            await self._under(lease, act)

    async def _under(self, lease: Lease, act: Callable[[CentreRow], T]) -> T:
        def checked() -> T:
            centre = self._store.centres[CentreName(lease.name)]
            self._check(centre, lease)
            return act(centre)

        return await self._line.transact(checked)

    def _check(self, centre: CentreRow, lease: Lease) -> None:
        row = centre.lease
        if row is None or (row.fence, row.holder) != (lease.fence, lease.holder):
            raise fenced(lease)

    def _counted(self) -> Mapping[UsageKey, object]:
        return self._store.usages

    def _intend(self, centre: CentreRow, limit: int) -> list[Dispatch]:
        now = self._clock.now()
        if any(of.remains is Remains.UNREACHED for of in centre.left.values()):
            return []
        due = [row for row in _in(centre, BEFORE_CENTRE) if row.retry_at <= now and not self._waits(row)][:limit]
        going = []
        for row in due:
            needs = [(one.kind, self._store.job(one.job)) for one in row.spec.depends_on]
            is_hopeless = any(need(kind, other.state) is Need.NEVER for kind, other in needs)
            if is_hopeless and row.tries == 0:
                self._store.finish([End(row.id, JobState.CANCELLED, now, reason=NEVER)], now)
                continue
            if is_hopeless:
                row.wish = CANCEL
            going.append(self._dispatch(row, needs, now))
        return going

    def _waits(self, row: JobRow) -> bool:
        needed = [self._store.job(one.job) for one in row.spec.depends_on]
        open_needs = [other for other in needed if other.state not in FINAL]
        return any(other.native_id is None or other.centre != row.centre for other in open_needs)

    def _dispatch(self, row: JobRow, needs: Sequence[tuple[str, JobRow]], now: datetime) -> Dispatch:
        open_needs = [
            (kind, other.native_id or NativeId("")) for kind, other in needs if need(kind, other.state) is Need.OPEN
        ]
        is_held = row.starts_held or row.wish == CANCEL
        asked = replace(request(row.id, row.spec, row.queue, open_needs, is_held=is_held), tag=row.tag)
        is_first_try = row.tries == 0
        row.tries += 1
        self._store.move(row, JobState.SUBMITTING, now)
        return Dispatch(row.id, row.tag, row.account, asked, row.spec.inputs, is_first_try)

    def _answered(
        self, centre: CentreRow, answers: Mapping[JobId, NativeId | Refused], postponed: Mapping[JobId, str]
    ) -> None:
        now = self._clock.now()
        here = [centre.jobs[job] for job in (*answers, *postponed) if job in centre.jobs]
        waiting = {row.id: row for row in here if row.state in BEFORE_CENTRE}
        for job, said in answers.items():
            if job not in waiting:
                continue
            if isinstance(said, Refused):
                self._store.finish([End(job, JobState.REFUSED, now, reason=said.en)], now)
            else:
                waiting[job].native_id, waiting[job].reason = said, ""
                self._store.move(waiting[job], JobState.QUEUED, now)
        for job, why in postponed.items():
            if job in waiting:
                waiting[job].retry_at, waiting[job].reason = now + backoff(waiting[job].tries), why

    def _observe(self, row: JobRow, move: Move) -> None:
        if move.to not in AT_CENTRE or row.state not in AT_CENTRE:
            return
        self._store.move(row, move.to, move.at)
        row.native_state, row.reason = move.native_state, move.reason
        row.has_started = row.has_started or move.started_at is not None
        row.absent_since = (row.absent_since or move.at) if move.to is JobState.VANISHED else None


def _in(centre: CentreRow, states: frozenset[JobState]) -> list[JobRow]:
    return [row for row in centre.jobs.values() if row.state in states]


def _moving(centre: CentreRow, states: frozenset[JobState], jobs: Sequence[JobId] | None = None) -> list[JobRow]:
    return [row for row in _in(centre, states) if row.move is not None and (jobs is None or row.id in jobs)]


def is_leaving(row: JobRow) -> bool:
    return row.move is not None and row.move.step in (MoveStep.LEAVING, MoveStep.CANCELLING)


def _departure(row: JobRow) -> Departure:
    assert row.move is not None
    return Departure(row.id, row.tag, row.native_id or NativeId(""), row.account, row.move.step)


def _wish(row: JobRow) -> Wish:
    name = row.signal if row.wish == SIGNAL else ""
    return Wish(row.id, row.native_id or NativeId(""), row.account, row.wish or "", name, row.moves)


def _live(row: JobRow) -> LiveJob:
    assert row.native_id is not None
    return LiveJob(
        job=row.id,
        tag=row.tag,
        native_id=row.native_id,
        account=row.account,
        state=row.state,
        native_state=row.native_state,
        reason=row.reason,
        tasks=row.tasks,
        absent_since=row.absent_since,
    )
