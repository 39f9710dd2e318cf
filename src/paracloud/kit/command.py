"""One remote step: what to say, and how to read the answer. Dialects make them, transports run them."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Generic, TypeVar

T = TypeVar("T")
OUTPUT_LIMIT_BYTES = 32 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Completed:
    """What a command left behind. `exit_status` is negative for a signal. `truncated`: the output went past the
    limit, the command was stopped, and what is here is only its beginning."""

    exit_status: int
    stdout: bytes
    stderr: bytes
    truncated: bool = False


@dataclass(frozen=True, slots=True)
class Command(Generic[T]):
    """`parse` raises Broken (not understood), Refused (the centre says no) or Unreachable (the scheduler behind the
    login node did not answer); it never guesses. `cost` counts the scheduler commands that the step runs at the
    centre: the published command budget is measured in it."""

    argv: tuple[str, ...]
    parse: Callable[[Completed], T]
    stdin: bytes = b""
    timeout: timedelta = timedelta(seconds=30)
    limit_bytes: int = OUTPUT_LIMIT_BYTES
    cost: int = 1
