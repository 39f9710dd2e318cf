"""The way from a program to its database: each act is one transaction there, and what comes back may be lost."""

from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Line(Protocol):
    async def transact(self, act: Callable[[], T]) -> T:
        """Unreachable: the act may or may not have happened."""
        ...


class GoodLine:
    """Nothing is ever lost."""

    async def transact(self, act: Callable[[], T]) -> T:
        return act()
