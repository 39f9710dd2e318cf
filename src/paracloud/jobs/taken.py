"""How many cores of a queue one task of a job takes from others, as far as that is known before it runs."""

from paracloud.jobs.market import Market
from paracloud.jobs.most_given import most_given
from paracloud.jobs.spec import JobSpec
from paracloud.kit.identifiers import CentreName


def taken_at(market: Market | None, spec: JobSpec, place: tuple[CentreName, str]) -> int | None:
    """Whole nodes, where it has them alone; else what it asks for. None at a queue that is not on the market."""
    stall = None if market is None else market.find(place)
    if stall is None:
        return None
    queue = stall.queue
    return int(most_given(spec, queue)["cores"]) if spec.exclusive or queue.gives_whole_nodes else spec.cores
