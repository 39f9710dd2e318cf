"""What is expected of a job at an offer, beside what it can cost at most: how long it waits and how long it runs."""

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Quantiles:
    """As many jobs like it take longer as take shorter than `p50`; one in ten takes longer than `p90`."""

    p50: timedelta
    p90: timedelta


@dataclass(frozen=True, slots=True)
class Prediction:
    """`model` names what made it, and of when: "plain" where too little was seen to train on."""

    wait: Quantiles
    run: Quantiles
    model: str
