"""What a job demands of where it runs, beside what it needs of a queue: place, software, trust, money, time. Pure."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class Constraints:
    """None, or an empty set, demands nothing. `residency`: the regions that the data may be in, and so the job; an
    empty set of regions is nowhere. `least_trust`: of the levels that the operator gives. `most_cost` is held against
    the most that the job can cost, `most_wait` against what one job in ten waits longer than, the way of its files
    included. `deadline`: when it should be done; the objective of that name orders by it."""

    region: str | None = None
    residency: frozenset[str] | None = None
    applications: frozenset[str] = field(default_factory=frozenset)
    licences: frozenset[str] = field(default_factory=frozenset)
    least_trust: int = 0
    most_cost: Money | None = None
    most_wait: timedelta | None = None
    deadline: datetime | None = None


NOTHING_DEMANDED = Constraints()


def narrowed(constraints: Constraints, regions: frozenset[str] | None) -> frozenset[str] | None:
    """Where the data may be that two may restrict: the job, and its project by `regions`."""
    if regions is None or constraints.residency is None:
        return constraints.residency if regions is None else regions
    return constraints.residency & regions
