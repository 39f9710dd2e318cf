"""How long a job will run, from what came before it. Pure, and it never looks ahead.

Three guesses compete for each of a job's keys (such as user and script, user and application, user, everybody): the
time that was asked for, that time by the ratio of it that was used before, and the mean of the last two. Whichever has
been nearest lately, by the logarithm, makes the prediction: users who ask for what they use are believed.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, field
from math import exp, log
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Numbers: TypeAlias = NDArray[np.int64]
Seconds: TypeAlias = NDArray[np.float64]

GUESSES: Final = 3
BY_RATIO, BY_LAST = 1, 2
SOON_SECONDS: Final = 10.0
"""Below this a difference matters to nobody: errors are those of (seconds + 10)."""
NEW_ERROR, NEW_RATIO = 0.2, 0.3
"""The weight of the newest job: about the last five, the last three."""
LEAST_SEEN: Final = 3
"""Jobs of a key before it is asked."""
Z90: Final = 1.2816
FIRST_SPREAD: Final = 1.5
"""Of the logarithm, where nothing is known: P90 is seven times the median, or the asked time."""


@dataclass(slots=True)
class _Past:
    ratio: float = 1.0
    last: float = 0.0
    before_last: float = 0.0
    seen: int = 0
    errors: list[float] = field(default_factory=lambda: [1.0] * GUESSES)
    spread: float = FIRST_SPREAD


@dataclass(frozen=True, slots=True)
class RunTime:
    """Seconds: as many jobs run shorter as longer than `p50`, one in ten runs longer than `p90`."""

    p50: float
    p90: float


class RunTimes:
    """What ran, by key. Feed it with each job that ended, ask it for each that comes. Of more than `most_keys` (where
    that is not None) those are forgotten of which nothing has ended for longest."""

    def __init__(self, most_keys: int | None = None) -> None:
        self._pasts: dict[Hashable, _Past] = {}
        self._most_keys = most_keys

    def predict(self, keys: Sequence[Hashable], requested: float) -> RunTime:
        """`keys`: from the narrowest to the widest; the first that has been seen often enough is asked. No longer than
        `requested` (seconds), since the scheduler ends what is."""
        return self.known(keys, requested) or RunTime(requested, requested)

    def known(self, keys: Sequence[Hashable], requested: float) -> RunTime | None:
        """The same; None where none of the keys has been seen often enough."""
        past = self._of(keys)
        if past is None:
            return None
        guesses = _guesses(past, requested)
        middle = guesses[_best(past)]
        late = (middle + SOON_SECONDS) * exp(Z90 * past.spread) - SOON_SECONDS
        return RunTime(middle, min(max(late, middle), requested))

    def each(self, keys: Sequence[Hashable]) -> "RunTimesEach":
        """To ask the same of each of these keys alone, at once."""
        return RunTimesEach([self._of([key]) for key in keys])

    def learn(self, keys: Sequence[Hashable], requested: float, ran: float) -> None:
        """`ran`: seconds, of a job that ended."""
        ratio = min(ran / requested, 1.0) if requested > 0 else 1.0
        for key in keys:
            past = self._pasts.get(key)
            if past is None:
                past = self._pasts[key] = _Past()
            if past.seen:
                _judge(past, _guesses(past, requested), ran)
            past.ratio = ratio if not past.seen else past.ratio + NEW_RATIO * (ratio - past.ratio)
            past.before_last, past.last = (past.last if past.seen else ran), ran
            past.seen += 1
            if self._most_keys is not None:
                self._pasts[key] = self._pasts.pop(key)  # now the newest
                if len(self._pasts) > self._most_keys:
                    del self._pasts[next(iter(self._pasts))]

    def _of(self, keys: Sequence[Hashable]) -> _Past | None:
        for key in keys:
            past = self._pasts.get(key)
            if past is not None and past.seen >= LEAST_SEEN:
                return past
        return None


class RunTimesEach:
    """What ran by each of some keys, as columns; of those of which too little is known, as long as was asked for."""

    def __init__(self, pasts: Sequence[_Past | None]) -> None:
        known = [_Past() if one is None else one for one in pasts]
        best = [0 if one is None else _best(one) for one in pasts]
        self._is_last = np.array([one == BY_LAST for one in best], dtype=np.bool_)
        ratios = [one.ratio if of == BY_RATIO else 1.0 for one, of in zip(known, best, strict=True)]
        self._ratio = np.array(ratios, dtype=np.float64)
        self._last = np.array([_last(one) for one in known], dtype=np.float64)
        spreads = [1.0 if one is None else exp(Z90 * one.spread) for one in pasts]
        self._late = np.array(spreads, dtype=np.float64)

    def p50(self, at: Numbers, requested: float) -> Seconds:
        """Of the keys with these numbers: as `RunTimes.predict` says it."""
        last = np.minimum(self._last.take(at), requested)
        return np.where(self._is_last.take(at), last, self._ratio.take(at) * requested)

    def p90(self, at: Numbers, requested: float) -> Seconds:
        middle = self.p50(at, requested)
        late = (middle + SOON_SECONDS) * self._late.take(at) - SOON_SECONDS
        found: Seconds = np.minimum(np.maximum(late, middle), requested)
        return found


def _last(past: _Past) -> float:
    return (past.last + past.before_last) / 2


def _guesses(past: _Past, requested: float) -> tuple[float, float, float]:
    return requested, requested * past.ratio, min(_last(past), requested)


def _best(past: _Past) -> int:
    errors = past.errors
    return errors.index(min(errors))


def _judge(past: _Past, guesses: Sequence[float], ran: float) -> None:
    was, before = ran + SOON_SECONDS, past.errors
    errors = [abs(log(was / (guess + SOON_SECONDS))) for guess in guesses]
    spread = errors[_best(past)]
    if past.seen > 1:
        spread = past.spread + NEW_ERROR * (spread - past.spread)
        errors = [old + NEW_ERROR * (new - old) for old, new in zip(before, errors, strict=True)]
    past.spread, past.errors = max(0.05, spread), errors
