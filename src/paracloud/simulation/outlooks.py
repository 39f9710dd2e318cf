"""The queues of all centres as one observer foresees them."""

from collections.abc import Callable, Sequence
from math import inf
from typing import TypeAlias

from paracloud.placement.forecast import Outlook, QueueState, Waiting, forecast
from paracloud.simulation.centre import Centre
from paracloud.simulation.grid import Grid

Ends: TypeAlias = Callable[[Centre, float], Sequence[float]]
"""When those that run at a centre are expected to end, in their order, as it looks now."""


def as_reserved(centre: Centre, _now: float) -> Sequence[float]:
    """As the centre's own scheduler counts on."""
    return centre.ends


class Outlooks:
    """`ends`: when the observer expects jobs to end; `reserved`: when they have to, as far as it knows. `waiting`: what
    it knows of each job that may wait, to be kept by whoever asks."""

    def __init__(self, grid: Grid, ends: Ends = as_reserved, reserved: Ends = as_reserved) -> None:
        self._grid, self._ends, self._reserved = grid, ends, reserved
        self._kept: dict[int, tuple[int, Outlook]] = {}
        self._is_shortest_first = grid.rules.discipline.shortest_first
        self.waiting: dict[int, Waiting] = {}

    def start(self, centre: Centre, job: int, now: float, limit: float = inf) -> float:
        """When it would start there if it came now; infinite where that is not before `limit`."""
        if now >= limit:
            return inf
        if not centre.queue and self._grid.procs[job] <= centre.free:
            return now
        if self._is_shortest_first:
            return forecast(self.state(centre, now), now, self.waiting[job], limit)
        return self._outlook(centre, now).start(self.waiting[job], now, limit)

    def queued(self, centre: Centre, at: int, now: float) -> float:
        """When the one at that place of its queue starts."""
        return self._outlook(centre, now).starts(at + 1).get(at, inf)

    def state(self, centre: Centre, now: float) -> QueueState:
        return centre.state(self._ends(centre, now), self._reserved(centre, now), self.waiting)

    def _outlook(self, centre: Centre, now: float) -> Outlook:
        """Kept while nothing happens there that was not expected."""
        kept = self._kept.get(centre.at)
        if kept is not None and kept[0] == centre.version and kept[1].is_current_until > now:
            return kept[1]
        outlook = Outlook(self.state(centre, now), now)
        self._kept[centre.at] = (centre.version, outlook)
        return outlook
