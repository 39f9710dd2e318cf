"""How long jobs waited lately, by key (such as a queue, a centre, a user): what `waits.Features` says of it. Pure."""

from collections import deque
from collections.abc import Hashable
from dataclasses import dataclass
from typing import Final

from paracloud.placement.waits import USUAL_START, quantile

HOUR, DAY = 3600.0, 86400.0
NO_WAITS: Final = -1.0


@dataclass(frozen=True, slots=True)
class Recent:
    """Waits of a while: how many, and two of their quantiles in seconds (NO_WAITS where there are none)."""

    count: int
    p50: float
    p90: float


NO_RECENT = Recent(0, NO_WAITS, NO_WAITS)


class Waited:
    """Moments and times are seconds. Of more than `most_keys` (where that is not None) those are forgotten of which
    nothing has started for longest."""

    def __init__(self, most_keys: int | None = None) -> None:
        self._kept: dict[Hashable, deque[tuple[float, float]]] = {}
        self._most_keys = most_keys

    def learn(self, key: Hashable, started_at: float, waited: float, *, most: int) -> None:
        """`most`: so many of the key are kept, the newest."""
        kept = self._kept.pop(key, None)
        if kept is None:
            kept = deque(maxlen=most)
        kept.append((started_at, waited))
        self._kept[key] = kept  # now the newest
        if self._most_keys is not None and len(self._kept) > self._most_keys:
            del self._kept[next(iter(self._kept))]

    def recent(self, key: Hashable, within: float, now: float) -> Recent:
        """Of the jobs that started within that time before `now`."""
        waits = sorted(waited for at, waited in self._kept.get(key, ()) if at > now - within)
        return Recent(len(waits), quantile(waits, 0.5), quantile(waits, 0.9)) if waits else NO_RECENT

    def usual_start(self, key: Hashable) -> float:
        """What one in ten did not even wait: what a start takes where there is room."""
        waits = sorted(waited for _, waited in self._kept.get(key, ()))
        return max(quantile(waits, 0.1), 1.0) if waits else USUAL_START
