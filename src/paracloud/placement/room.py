"""What a queue leaves to one more job now, as far as it can be told by what of ours is there. Pure.

A cloud does not see others' jobs, and no scheduler says what it would start. Ours are known: what runs holds its cores
until its time limit at the latest, and of those that wait the first that does not fit is whom its scheduler keeps a
place for. Who passes it without holding it up may start at once (backfilling).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import inf
from typing import NamedTuple

from paracloud.placement.forecast import reservation


class Asks(NamedTuple):
    """A job of ours: its cores, and for how many seconds from now it may hold them."""

    cores: int
    seconds: float


@dataclass(slots=True)
class Room:
    """`free` cores until `shadow` (in seconds from now), and `extra` of them for longer."""

    free: int
    shadow: float = inf
    extra: int = 0

    def holds(self, cores: int, seconds: float) -> bool:
        return cores <= self.free and (seconds <= self.shadow or cores <= self.extra)

    def take(self, cores: int, seconds: float) -> None:
        """By a job that it holds."""
        self.free -= cores
        if seconds > self.shadow:
            self.extra -= cores


def room_of(free: int, running: Iterable[Asks], waiting: Sequence[Asks]) -> Room:
    """`free` cores as its scheduler says; `waiting`: ours, in the order in which they came. Those that may start are
    taken to do so at any moment. Where the first that may not waits for cores that others hold, nobody knows how long,
    and whatever is free is room: its scheduler knows better, and has the last word."""
    ends, room = [(one.seconds, one.cores) for one in running], None
    for cores, seconds in waiting:
        if room is not None:
            if room.holds(cores, seconds):
                room.take(cores, seconds)
        elif cores <= free:
            free -= cores
            ends.append((seconds, cores))
        elif free + sum(each for _, each in ends) < cores:
            room = Room(free, inf, free)
        else:
            room = Room(free, *reservation(sorted(ends), free, cores))
    return room or Room(free, inf, free)
