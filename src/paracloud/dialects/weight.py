"""How many scheduler commands a submission may run at its centre: the published budget is measured in them."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Weight:
    """Of one job in a batch, at most: its `own` commands, and by what they are for the `shared` ones, which run once
    for all jobs of a batch that need the same."""

    own: int
    shared: Mapping[str, int] = field(default_factory=dict, hash=False)


NOTHING = Weight(0)


def together(weights: Iterable[Weight]) -> int:
    """Of a whole batch."""
    own, shared = 0, dict[str, int]()
    for one in weights:
        own += one.own
        shared |= one.shared
    return own + sum(shared.values())


def plain(look_up: int, *, is_retry: bool) -> Weight:
    """Of a guarded submission (`guard_program.py`): one, and of a job that was tried before a look-up of at most
    `look_up` commands, and another one before a refusal is final."""
    return Weight(1 + 2 * look_up if is_retry else 1)
