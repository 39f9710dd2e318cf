"""The accounting of a simulated centre: rows that come late, come in halves, and change afterwards."""

import asyncio
from collections.abc import Collection, Iterator

from tests.simulation.faults import Faults
from tests.simulation.native import NativeJob, NativeTask, Row

VERY_LATE = 0.02
"""Rate of records that come after the patience of the platform. Of a second run's record that is so late nobody could
know that it is still to come."""
FIRST_RUN = 2
"""Started and stopped once."""


class Accounting:
    def __init__(self, loop: asyncio.AbstractEventLoop, faults: Faults, corrections: float) -> None:
        self._loop, self._faults, self._corrections = loop, faults, corrections
        self.rows: list[Row] = []

    def add(self, job: NativeJob, task: NativeTask, state: str, exit_code: int, *, is_eligible: bool = True) -> None:
        ended = task.ended_at or 0
        elapsed = ended - task.started_at if task.started_at is not None else 0
        lag = self._faults.seconds(0, 0.5 if self._faults.is_calm else self._faults.accounting_lag_seconds)
        if task.run == FIRST_RUN and self._faults.strikes(VERY_LATE):
            lag = self._faults.seconds(60, 200)
        visible = self._loop.time() + lag
        never_ran = job.array is not None and task.run < FIRST_RUN
        others = [one.index for one in job.tasks if one.run < FIRST_RUN and one.ended_at is not None]
        covers = tuple(index for index in others if index is not None) if never_ran else ()
        mark = "" if job.array is None else f"_{task.index}"
        if never_ran:
            mark = f"_[{','.join(map(str, covers))}]"
        row = Row(
            native_id=job.id,
            raw_id=job.id if never_ran else task.raw_id,
            job_id=f"{job.id}{mark}",
            covers=covers,
            index=None if never_ran else task.index,
            user=job.account,
            name=job.name,
            state=state,
            exit_code=exit_code,
            submitted_at=task.submitted_at,
            started_at=task.started_at,
            ended_at=ended,
            cores=job.cores,
            elapsed_seconds=elapsed,
            visible_at=visible,
            whole_at=visible + (4.0 if self._faults.strikes(0.1) else 0.0),
            is_eligible=is_eligible,
        )
        if elapsed and self._faults.strikes(self._corrections):
            row.changes_at = visible + self._faults.seconds(1, 30)
            row.changed_elapsed_seconds = max(0, elapsed + self._faults.random.randint(-5, 30))
        self.rows.append(row)

    def visible(self) -> Iterator[Row]:
        """As they are now."""
        now = self._loop.time()
        for row in self.rows:
            if row.changes_at is not None and row.changes_at <= now:
                row.elapsed_seconds, row.changes_at = row.changed_elapsed_seconds, None
                if row.started_at is not None:
                    row.ended_at = row.started_at + row.elapsed_seconds
            if row.visible_at <= now:
                yield row

    def window(self, users: Collection[str], start: int, end: int) -> list[Row]:
        return [row for row in self.visible() if row.user in users and row.is_eligible and start <= row.ended_at <= end]

    def of(self, ids: Collection[int]) -> list[Row]:
        return [row for row in self.visible() if row.native_id in ids]

    def named(self, user: str, name: str) -> list[Row]:
        return [row for row in self.visible() if (row.user, row.name) == (user, name)]

    def is_final(self) -> bool:
        now = self._loop.time()
        return all(max(row.visible_at, row.whole_at) <= now and row.changes_at is None for row in self.visible()) and (
            len(list(self.visible())) == len(self.rows)
        )
