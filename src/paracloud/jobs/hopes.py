"""What is expected of one job at many offers at once, in microseconds: as `placement.expected` says it of each."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from paracloud.billing.pick import Customer
from paracloud.jobs.foresees import Prospects
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import CentreName, UserId
from paracloud.placement.columns import MICROSECOND, Columns, Whole
from paracloud.placement.expected import UNKNOWN_WAIT
from paracloud.placement.offer import Need
from paracloud.placement.prediction import Prediction, Quantiles


@dataclass(frozen=True, slots=True)
class Asked:
    """A job, and who asks for it."""

    spec: JobSpec
    customer: Customer
    user: UserId
    only_centre: CentreName | None = None


class Hopes:
    """Nothing is asked before it is needed. `limit`: no run is longer. `moving`: how long the job's files take to each
    offer of the market; None where nothing is to be moved."""

    def __init__(self, prospects: Prospects, limit: int, moving: Whole | None) -> None:
        self._prospects, self._limit, self._moving = prospects, limit, moving
        self._both: tuple[Whole, tuple[Whole, Whole]] | None = None
        """The last offers of which P50 and P90 were asked for."""

    def start_p50(self, at: Whole) -> Whole:
        is_known = self._both is not None and self._both[0] is at
        return self._moved(self._waits(at)[0] if is_known else self._prospects.wait_p50(at), at)

    def start_p90(self, at: Whole) -> Whole:
        return self._moved(self._waits(at)[1], at)

    def _waits(self, at: Whole) -> tuple[Whole, Whole]:
        if self._both is None or self._both[0] is not at:
            self._both = at, self._prospects.wait_both(at)
        return self._both[1]

    def finish_p50(self, at: Whole) -> Whole:
        return self.start_p50(at) + self.run_p50(at)

    def finish_p90(self, at: Whole) -> Whole:
        return self.start_p90(at) + self._runs(self._prospects.run_p90, at)

    def run_p50(self, at: Whole) -> Whole | int:
        return self._runs(self._prospects.run_p50, at)

    def predicted(self, at: int) -> Prediction:
        told, one = self._prospects, np.array([at])
        p50, p90 = told.wait_both(one)
        run = _quantiles(self._run_at(told.run_p50, one), self._run_at(told.run_p90, one))
        return Prediction(_quantiles(p50.item(), p90.item()), run, told.model)

    def _run_at(self, told: Callable[[Whole], Whole] | int, one: Whole) -> int:
        return min(told if isinstance(told, int) else told(one).item(), self._limit)

    def _runs(self, told: Callable[[Whole], Whole] | int, at: Whole) -> Whole | int:
        if isinstance(told, int):
            return min(told, self._limit)
        found: Whole = np.minimum(told(at), self._limit)
        return found

    def _moved(self, waits: Whole, at: Whole) -> Whole:
        return waits if self._moving is None else waits + self._moving.take(at)


def unforeseen(need: Need, columns: Columns) -> Prospects:
    """Where nobody foresees anything."""

    def wait(at: Whole) -> Whole:
        return np.where(columns.starts_now(need).take(at), 0, UNKNOWN_WAIT // MICROSECOND)

    limit = need.wall_limit // MICROSECOND
    return Prospects(wait, lambda at: (wait(at), wait(at)), limit, limit, "")


def _quantiles(p50: int, p90: int) -> Quantiles:
    return Quantiles(p50 * MICROSECOND, p90 * MICROSECOND)
