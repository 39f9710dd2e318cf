"""How bad a history is: each kind of fault has its own rate, drawn from the seed, and some are absent in each."""

from dataclasses import dataclass
from random import Random
from typing import Self


@dataclass(slots=True)
class Faults:
    """Rates are probabilities of one act going wrong; all of them are nought in calm weather."""

    random: Random
    is_calm: bool
    database_lost: float
    database_slow: float
    ssh_lost: float
    ssh_slow: float
    scheduler_slow: float
    answer_lost: float
    stage_refused: float
    events_every_seconds: float
    accounting_lag_seconds: float
    listing_keeps_seconds: float

    @classmethod
    def draw(cls, random: Random) -> Self:
        def rate(most: float) -> float:
            return random.choice((0.0, most / 10, most / 3, most))

        return cls(
            random=random,
            is_calm=False,
            database_lost=rate(0.06),
            database_slow=rate(0.02),
            ssh_lost=rate(0.15),
            ssh_slow=rate(0.05),
            scheduler_slow=rate(0.25),
            answer_lost=rate(0.1),
            stage_refused=rate(0.3),
            events_every_seconds=random.choice((3.0, 6.0, 12.0)),
            accounting_lag_seconds=random.choice((1.0, 5.0, 20.0, 45.0)),
            listing_keeps_seconds=random.choice((10.0, 60.0, 300.0)),
        )

    def strikes(self, rate: float) -> bool:
        return not self.is_calm and self.random.random() < rate

    def seconds(self, least: float, most: float) -> float:
        return self.random.uniform(least, most)
