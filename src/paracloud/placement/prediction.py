"""What is expected of a job at an offer, beside what it can cost at most: its wait, its run, what that costs."""

from dataclasses import dataclass
from datetime import timedelta

from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class Quantiles:
    """As many jobs like it take longer as take shorter than `p50`; one in ten takes longer than `p90`."""

    p50: timedelta
    p90: timedelta

    def __add__(self, other: "Quantiles") -> "Quantiles":
        """Of one thing after the other. The sum of two P90 is rather too late than too early: both must come late."""
        return Quantiles(self.p50 + other.p50, self.p90 + other.p90)


@dataclass(frozen=True, slots=True)
class Costs:
    """What the price says of a run that takes as long as half of them, and as long as nine in ten; never above the most
    that the job can cost."""

    p50: Money
    p90: Money


@dataclass(frozen=True, slots=True)
class Prediction:
    """`model` names what made it, and of when: "plain" where too little was seen to train on."""

    wait: Quantiles
    run: Quantiles
    model: str
