"""Which jobs may ever be moved to another centre while they wait, and what they ask of it. Pure."""

from paracloud.billing.pick import Customer
from paracloud.jobs.market import Market
from paracloud.jobs.need import need
from paracloud.jobs.spec import JobSpec
from paracloud.placement.offer import Need

ANYWHERE = frozenset({"comment", "distribution", "hint", "mincpus", "nice", "open-mode", "signal", "time-min"})
"""Options that mean the same at each centre. All others that go to the scheduler as they are may name what only this
centre has: a job that was accepted once must not be refused for it elsewhere."""


def is_movable(spec: JobSpec) -> bool:
    """Not where its user does not want it, named the centre, or holds it; nor an array, of which some tasks may run
    while others wait; nor what depends on others, since a dependency cannot cross centres; nor what its scheduler may
    run again. A partition that the user named binds it to the partitions of that name."""
    is_bound = spec.centre is not None or spec.array is not None or bool(spec.depends_on)
    return spec.movable and not (is_bound or spec.hold or spec.requeue) and ANYWHERE.issuperset(spec.extra)


def need_elsewhere(spec: JobSpec, customer: Customer, market: Market) -> Need:
    """As when it was submitted, by the rules of today: where the data of its project may be, too."""
    return need(spec, residency=market.residencies.get(customer.project), asked_at=market.read_at)
