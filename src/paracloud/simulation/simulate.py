"""One workload under several policies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from paracloud.simulation.grid import Grid, Rules
from paracloud.simulation.outcome import Outcome, outcome
from paracloud.simulation.policies import policy
from paracloud.simulation.workload import Workload


@dataclass(frozen=True, slots=True)
class Asked:
    """`share`: that part of the users uses the broker, the others send their jobs home."""

    policies: Sequence[str]
    rules: Rules
    share: float = 1.0
    seed: int = 1


def simulate(workload: Workload, asked: Asked) -> Iterator[tuple[str, Outcome]]:
    """As each policy ends. Invalid for a policy that there is not, before any begins."""
    for name, make in [(name, policy(name)) for name in asked.policies]:
        grid = Grid(workload, asked.rules)
        sends = make(grid, share=asked.share, seed=asked.seed)
        grid.run(sends)
        yield name, outcome(grid, frozenset(at for at in range(len(workload.jobs)) if sends.brokered[at]))
