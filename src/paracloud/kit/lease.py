"""A lease: the right to act on one named thing, for a while, proved by a fence that only grows.

The holder stops by its own monotonic deadline, whatever the database says; every write names the fence, so a
holder that slept past its lease writes nothing. See guides/leases.md.
"""

from dataclasses import dataclass

from paracloud.kit.identifiers import WorkerId


@dataclass(frozen=True, slots=True)
class Lease:
    """`fence` grows by one with every change of holder; `deadline` is on the holder's own monotonic clock, in
    seconds, taken before the claim was asked for, and already less the safety margin."""

    name: str
    holder: WorkerId
    fence: int
    deadline: float
