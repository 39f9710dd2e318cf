"""What the cloud's own jobs have taught one process: how long they ran and waited, and what of them is where now.

It is rebuilt when the process starts, from the newest jobs, and then follows the jobs' events. All of it is bounded.
"""

import re
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.jobs import store_experience as store
from paracloud.jobs.tables import AnyRow
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.placement.past import RunTimes
from paracloud.placement.waited import NO_RECENT, Recent, Waited

FIRST_JOBS: Final = 20_000
"""Read when the process starts."""
AT_ONCE: Final = 5_000
LATE_EVENTS: Final = 1_000
"""Numbers of events are given before these are committed: so many are looked at again."""
MOST_KEYS: Final = 200_000
MOST_SEEN: Final = 50_000
WAITS_KEPT, OF_USER = 400, 50
"""Of a queue and of a centre; of a user."""
MOST_WAIT_KEYS: Final = 20_000

Place = tuple[str, str]
"""Centre and queue."""


@dataclass(frozen=True, slots=True)
class Load:
    """Our jobs at a queue, in one state, with what they asked for. `oldest`: when the first of them was sent there."""

    jobs: int = 0
    cores: int = 0
    core_seconds: int = 0
    oldest: datetime | None = None


NOTHING = Load()


class Experience:
    """`read` brings it up to date. Between two reads nothing changes, so what is asked often is kept."""

    def __init__(self) -> None:
        self.runs = RunTimes(MOST_KEYS)
        self.waiting: dict[Place, Load] = {}
        self.running: dict[Place, Load] = {}
        self._waits = Waited(MOST_WAIT_KEYS)
        self._recent: dict[tuple[Hashable, float], Recent] = {}
        self._usual: dict[str, float] = {}
        self._seen: dict[tuple[UUID, bool], None] = {}
        self._event: int | None = None
        self._at: datetime | None = None

    async def read(self, session: AsyncSession, now: datetime) -> None:
        if self._event is None:
            event = await store.newest_event(session)
            self._learn(await store.newest_started(session, FIRST_JOBS))
            self._event = event
        moved = await store.moved_after(session, max(self._event - LATE_EVENTS, 0), AT_ONCE)
        fresh = {job for _, job in moved if (job, True) not in self._seen}
        if fresh:
            self._learn(await store.taught(session, sorted(fresh)))
        self._event = max([self._event, *(number for number, _ in moved)])
        loads = await store.loads(session)
        self.waiting, self.running = _loads(loads, runs=False), _loads(loads, runs=True)
        self._recent.clear()
        self._usual.clear()
        self._at = now

    def recent(self, key: Hashable, within_seconds: float) -> Recent:
        """Of the jobs that started within that time before the last read: at a place, or of a user."""
        asked = (key, within_seconds)
        found = self._recent.get(asked)
        if found is None:
            at = self._at
            found = NO_RECENT if at is None else self._waits.recent(key, within_seconds, at.timestamp())
            self._recent[asked] = found
        return found

    def usual_start(self, centre: str) -> float:
        """Seconds that one in ten jobs of the centre did not even wait: what a start takes where there is room."""
        found = self._usual.get(centre)
        if found is None:
            found = self._usual[centre] = self._waits.usual_start(centre)
        return found

    def _learn(self, rows: Iterable[AnyRow]) -> None:
        for row in rows:
            if (row.id, False) not in self._seen:
                self._remember((row.id, False))
                self._learn_wait(row)
            if row.ran_seconds is not None and (row.id, True) not in self._seen:
                self._remember((row.id, True))
                keys = keys_of(row.project_id, row.user_id, row.name, row.script)
                self.runs.learn((*keys, (row.centre, row.queue)), float(row.wall_limit_seconds), float(row.ran_seconds))

    def _learn_wait(self, row: AnyRow) -> None:
        if not row.is_free:
            return
        waited, at = max((row.started_at - row.waits_since).total_seconds(), 0.0), row.started_at.timestamp()
        for key, most in (((row.centre, row.queue), WAITS_KEPT), (row.centre, WAITS_KEPT), (row.user_id, OF_USER)):
            self._waits.learn(key, at, waited, most=most)

    def _remember(self, what: tuple[UUID, bool]) -> None:
        self._seen[what] = None
        if len(self._seen) > MOST_SEEN:
            del self._seen[next(iter(self._seen))]


def keys_of(project: ProjectId, user: UserId, name: str, script: bytes) -> tuple[Hashable, ...]:
    """Whose past is asked, from the narrowest to the widest; after them, everybody's at the place. `script`: its
    SHA-256. Numbers in a name only count."""
    return (user, script), (user, re.sub(r"\d+", "#", name)), user, project


def _loads(rows: Sequence[AnyRow], *, runs: bool) -> dict[Place, Load]:
    return {
        (row.centre, row.queue): Load(row.jobs, int(row.cores), int(row.core_seconds), row.oldest)
        for row in rows
        if row.runs is runs
    }
