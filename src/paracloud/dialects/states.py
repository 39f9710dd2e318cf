"""The words by which schedulers say how an execution ended, as records keep them in `native_state`."""

import re
from difflib import get_close_matches

from paracloud.dialects.gridengine.history import STATE as GRID_ENGINE
from paracloud.dialects.pbs.history import STATE as PBS
from paracloud.dialects.slurm.states import ENDED_STATES as SLURM

OF_NUMBERS = (re.compile(GRID_ENGINE), re.compile(PBS))


def is_ended_state(word: str) -> bool:
    return word in SLURM or any(one.fullmatch(word) for one in OF_NUMBERS)


def nearest_state(word: str) -> str | None:
    """What was probably meant, of the words that are no numbers."""
    return next(iter(get_close_matches(word.upper(), sorted(SLURM), 1)), None)
