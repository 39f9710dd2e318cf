"""Policies by name."""

import re
from collections.abc import Callable

from paracloud.kit.errors import Invalid
from paracloud.simulation.ours import Ours, Reroute
from paracloud.simulation.peers import EarliestStart, LeastBacklog, Multi, Random, RoundRobin, ShortestQueue
from paracloud.simulation.policy import Policy
from paracloud.simulation.production import Production

MULTI = re.compile(r"multi-([2-9]|[1-9][0-9])")
PLAIN: dict[str, type[Policy]] = {
    "local": Policy,
    "random": Random,
    "round-robin": RoundRobin,
    "least-backlog": LeastBacklog,
    "shortest-queue": ShortestQueue,
    "earliest-start": EarliestStart,
    "ours": Ours,
    "reroute": Reroute,
    "production": Production,
}


def policy(name: str) -> Callable[..., Policy]:
    """Invalid with the names that there are."""
    found = MULTI.fullmatch(name)
    if found is not None:
        return type("Multi", (Multi,), {"copies": int(found[1])})
    if name not in PLAIN:
        words = ", ".join([*PLAIN, "multi-K"])
        raise Invalid(f"{name} is no policy: one of {words}.", f"没有策略 {name}，可选 {words}。", field="policy")
    return PLAIN[name]
