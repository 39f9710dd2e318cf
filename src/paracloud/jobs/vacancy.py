"""What a queue has left for jobs that are kept back: cores, cards and whole nodes, by what of ours is there. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from paracloud.jobs.market import Stall
from paracloud.jobs.tables import AnyRow
from paracloud.placement.room import Asks, Room, room_of


@dataclass(slots=True)
class Vacancy:
    """`cards` and idle `nodes`: what its scheduler said, but for what of ours takes them since."""

    room: Room
    cards: int
    nodes: int

    def holds(self, row: AnyRow, cores: int) -> bool:
        """A job, as `store_kept` gives it, that would take so many cores there."""
        is_had = row.gpus <= self.cards and whole_nodes(row) <= self.nodes
        return is_had and self.room.holds(cores, row.wall_limit_seconds)

    def take(self, row: AnyRow, cores: int) -> None:
        """By a job that it holds."""
        self.cards -= row.gpus
        self.nodes -= whole_nodes(row)
        self.room.take(cores, row.wall_limit_seconds)


def vacancy_of(stall: Stall, sent: Sequence[AnyRow], now: datetime) -> Vacancy:
    """`sent`: what of ours runs or waits there, in its order. What has started since its scheduler was asked is not
    free any more."""
    queue, seen_at = stall.queue, stall.seen_at or now
    running = [row for row in sent if row.runs and row.began_at is not None]
    waiting = [row for row in sent if not row.runs]
    begun = [row for row in running if row.began_at > seen_at]
    left = [max(row.wall_limit_seconds - (now - row.began_at).total_seconds(), 0.0) for row in running]
    room = room_of(
        max(queue.free_cores - sum(row.cores for row in begun), 0),
        [Asks(row.cores, seconds) for row, seconds in zip(running, left, strict=True)],
        [Asks(row.cores, row.wall_limit_seconds) for row in waiting],
    )
    takers = [*begun, *waiting]
    cards, nodes = sum(row.gpus for row in takers), sum(whole_nodes(row) for row in takers)
    return Vacancy(room, queue.free_gpus - cards, queue.free_nodes - nodes)


def whole_nodes(row: AnyRow) -> int:
    """That it asked for, or has alone."""
    return int(row.spec.get("nodes") or bool(row.spec.get("exclusive")))
