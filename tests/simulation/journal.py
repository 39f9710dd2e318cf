"""What happened, in order: for people who read a failing seed, and as one hash that proves two histories equal."""

import asyncio
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import structlog


class Journal:
    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self.lines: list[tuple[float, str, tuple[object, ...]]] = []
        self.violations: list[str] = []

    def note(self, what: str, *details: object) -> None:
        self.lines.append((self._loop.time(), what, details))

    def violate(self, rule: str, *details: object) -> None:
        """An invariant is broken here and now."""
        self.note(f"VIOLATION {rule}", *details)
        self.violations.append(" ".join(map(str, (rule, *details))))

    def text(self) -> str:
        return "\n".join(f"{at:9.3f} {what} {' '.join(map(str, details))}" for at, what, details in self.lines)

    def hash(self) -> str:
        return hashlib.sha256(self.text().encode()).hexdigest()

    @contextmanager
    def hears_the_log(self) -> Iterator[None]:
        """The log of the production code goes here and nowhere else. A crash that it reports is a violation."""
        processors = structlog.get_config()["processors"]
        kept = list(processors)
        # In place: loggers that were used before hold this very list.
        processors[:] = [self._hear]
        try:
            yield
        finally:
            processors[:] = kept

    def _hear(self, _logger: object, _method: str, event: Any) -> Any:  # structlog's own type
        name = event.pop("event")
        self.note(name, *(f"{key}={event[key]}" for key in sorted(event) if key != "exc_info"))
        if name == "centre.crashed":
            self.violations.append(f"the worker's code crashed: {event.get('error')}")
        raise structlog.DropEvent
