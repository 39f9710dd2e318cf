"""What is expected of one job at many offers at once, in microseconds: as `placement.expected` says it of each."""

from dataclasses import dataclass

import numpy as np

from paracloud.billing.pick import Customer
from paracloud.jobs.foresees import ForeseesMany, Times
from paracloud.jobs.market import Market
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
    """Nothing is asked before it is needed. `together`: who foresees, where it does so for many. `moving`: how long the
    job's files take to each offer of the market; None where nothing is to be moved."""

    def __init__(
        self,
        asked: Asked,
        wanted: Need,
        market: Market,
        columns: Columns,
        *,
        together: ForeseesMany | None,
        moving: Whole | None,
    ) -> None:
        self._asked, self._need, self._market, self._columns = asked, wanted, market, columns
        self._moving = moving
        self._together = together
        self._seen: tuple[Whole, Times] | None = None

    def start_p50(self, at: Whole) -> Whole:
        return self._moved(at) + self.times(at).wait_p50

    def start_p90(self, at: Whole) -> Whole:
        return self._moved(at) + self.times(at).wait_p90

    def finish_p50(self, at: Whole) -> Whole:
        times = self.times(at)
        return self._moved(at) + times.wait_p50 + times.run_p50

    def finish_p90(self, at: Whole) -> Whole:
        times = self.times(at)
        return self._moved(at) + times.wait_p90 + times.run_p90

    def times(self, at: Whole) -> Times:
        """No run is longer than the job may be. The last answer is kept."""
        if self._seen is None or self._seen[0] is not at:
            found = self._foreseen(at)
            limit = self._need.wall_limit // MICROSECOND
            runs = np.minimum(found.run_p50, limit), np.minimum(found.run_p90, limit)
            self._seen = at, Times(found.wait_p50, found.wait_p90, *runs)
        return self._seen[1]

    def predicted(self, at: int) -> Prediction:
        foresight, asked = self._market.foresight, self._asked
        assert foresight is not None, "asked for only where somebody foresees"  # noqa: S101
        if self._together is not None:
            times = [int(one[0]) * MICROSECOND for one in self._foreseen(np.array([at]))]
            return Prediction(Quantiles(*times[:2]), Quantiles(*times[2:]), self._together.model)
        return foresight.predict(asked.customer.project, asked.user, asked.spec, self._columns.offers[at])

    def _moved(self, at: Whole) -> Whole | int:
        return 0 if self._moving is None else self._moving[at]

    def _foreseen(self, at: Whole) -> Times:
        foresight, asked = self._market.foresight, self._asked
        if foresight is None:
            wait = np.where(self._columns.starts_now(self._need)[at], 0, UNKNOWN_WAIT // MICROSECOND)
            run = np.full(at.size, self._need.wall_limit // MICROSECOND, dtype=np.int64)
            return Times(wait, wait, run, run)
        if self._together is not None:
            return self._together.many(asked.customer.project, asked.user, asked.spec, self._columns.offers, at)
        told = [self.predicted(int(one)) for one in at]
        figures = [(one.wait.p50, one.wait.p90, one.run.p50, one.run.p90) for one in told]
        columns = np.array([[time // MICROSECOND for time in row] for row in figures], dtype=np.int64).reshape(-1, 4)
        return Times(columns[:, 0], columns[:, 1], columns[:, 2], columns[:, 3])
