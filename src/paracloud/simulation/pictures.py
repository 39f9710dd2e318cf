"""What a cloud sees of each centre's queue, as the product's offers."""

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import NamedTuple
from uuid import UUID

from paracloud.kit.identifiers import CentreName, PriceVersionId
from paracloud.kit.money import Money
from paracloud.placement.offer import Offer
from paracloud.placement.prediction import Prediction, Quantiles
from paracloud.placement.waited import DAY, HOUR, Recent, Waited
from paracloud.placement.waits import Features, PlainWaits
from paracloud.simulation.centre import Centre

QUEUE = "all"
WAITS_KEPT = 400
OLD_SECONDS = 60.0
"""A cloud's picture of a queue may get."""
PRICE, FREE = PriceVersionId(UUID(int=0)), Money(0)
"""No centre is dearer than another."""
AT_ONCE = timedelta(0)


class _Ours(NamedTuple):
    """What those of our jobs waited that started at a centre, as it was known at `read_at`."""

    read_at: float
    hour: Recent
    day: Recent
    usual_start: float


class Pictures:
    """With the plain rule's waits, by what those of our jobs waited that started there. `since`: our jobs in queues,
    and from when on each is there, to be kept by whoever asks."""

    def __init__(self, procs: Sequence[int], since: Mapping[int, float]) -> None:
        self._procs, self._since = procs, since
        self._waits, self._waited = PlainWaits(), Waited()
        self._ours: dict[int, _Ours] = {}
        self._offers: dict[int, tuple[int, float, int, dict[bool, Offer]]] = {}

    def learn(self, centre: Centre, now: float, waited: float) -> None:
        """One of ours has started."""
        self._waited.learn(centre.at, now, waited, most=WAITS_KEPT)
        self._ours.pop(centre.at, None)

    def waiting(self, centre: Centre) -> int:
        """Processors that ours asked for that wait there, in the newest picture."""
        return self._offers[centre.at][2]

    def offer(self, centre: Centre, needed: int, now: float) -> Offer:
        """Kept until something happens there, or too much time has passed: the plain rule asks nothing of a job but
        whether there is room for it."""
        version, made_at, waiting, kept = self._offers.get(centre.at, (-1, now, 0, {}))
        if version != centre.version or now - made_at >= OLD_SECONDS:
            waiting = sum(self._procs[job] for job in centre.queue if job in self._since)
            kept = {}
            self._offers[centre.at] = (centre.version, now, waiting, kept)
        has_room = needed + waiting <= centre.free
        found = kept.get(has_room)
        if found is None:
            found = kept[has_room] = self._made(centre, needed, waiting, now)
        return found

    def _made(self, centre: Centre, needed: int, waiting: int, now: float) -> Offer:
        wait = self._waits.predict(self._features(centre, needed, waiting, now))
        prediction = Prediction(wait, Quantiles(AT_ONCE, AT_ONCE), self._waits.name)
        return Offer(
            name_of(centre), QUEUE, nodes=centre.capacity, cores=centre.capacity, cores_per_node=1,
            memory_per_node_bytes=0, gpus_per_node=0, gpu_model=None, free_cores=centre.free, free_nodes=centre.free,
            free_gpus=0, max_wall=None, max_nodes=None, is_default=True, price=PRICE, most=FREE,
            prediction=prediction,
        )  # fmt: skip

    def _features(self, centre: Centre, needed: int, waiting: int, now: float) -> Features:
        """Those of the job that the plain rule does not ask for are left at nothing."""
        ours, since = self._recent(centre, now), self._since
        mine = [since[job] for job in centre.queue if job in since]
        return Features(
            hour=0, weekday=0, cores=needed, nodes=0, gpus=0, wall_seconds=0, user_waits=0, user_p50=0,
            queue_cores=centre.capacity, free_cores=centre.free, free_nodes=centre.free,
            waiting_jobs=len(mine), waiting_cores=waiting, waiting_core_seconds=0,
            oldest_wait=now - mine[0] if mine else 0, running_jobs=0, running_cores=0,
            hour_waits=ours.hour.count, hour_p50=ours.hour.p50, hour_p90=ours.hour.p90,
            day_waits=ours.day.count, day_p50=ours.day.p50, day_p90=ours.day.p90, usual_start=ours.usual_start,
        )  # fmt: skip

    def _recent(self, centre: Centre, now: float) -> _Ours:
        """Read anew when one of ours has started there, or too much time has passed."""
        found = self._ours.get(centre.at)
        if found is None or now - found.read_at >= OLD_SECONDS:
            waited, key = self._waited, centre.at
            hour, day = (waited.recent(key, within, now) for within in (HOUR, DAY))
            found = self._ours[key] = _Ours(now, hour, day, waited.usual_start(key))
        return found


def name_of(centre: Centre) -> CentreName:
    return CentreName(f"{centre.at:06}")
