"""What a round needs to act at one centre: its scheduler's language, a way there, a budget, a clock."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Protocol, TypeVar

from paracloud.dialects.dialect import Dialect
from paracloud.kit.clock import Clock
from paracloud.kit.command import Command
from paracloud.kit.identifiers import CentreName, UnixAccount
from paracloud.kit.lease import Lease
from paracloud.transports.transport import Reach, execute

T = TypeVar("T")

PROBES_PART = 4
"""Probes take a fourth of the commands at the most."""

Tenure = Callable[[], Lease]
"""Gives the lease as it is now; raises Fenced once its own deadline has passed. Asked before every act and write."""


class Budget(Protocol):
    @property
    def most_at_once(self) -> int:
        """Scheduler commands that may come in one step."""
        ...

    async def take(self, cost: int) -> None:
        """Wait until the centre may see `cost` more scheduler commands."""
        ...


@dataclass(frozen=True, slots=True)
class Outpost:
    """`terms`: what it was composed of, by value. Where the centre's are others by now, it is composed anew."""

    centre: CentreName
    service_account: UnixAccount
    patience: timedelta
    dialect: Dialect
    reach: Reach
    budget: Budget
    clock: Clock
    terms: tuple[object, ...] = ()
    commands_per_minute: int = 240

    def probe_least(self, least: timedelta) -> timedelta:
        """Between two probes of its queues, so that they take no more than a part of its commands."""
        return max(least, timedelta(minutes=PROBES_PART) * self.dialect.queues().cost / self.commands_per_minute)

    async def ask(self, account: UnixAccount, command: Command[T], tenure: Tenure, *, purpose: str) -> T:
        """Run a dialect's command as this account, within the budget and under the lease."""
        await self.budget.take(command.cost)
        transport = await self.reach.to(self.centre, account, purpose=purpose)
        tenure()
        return await execute(transport, command)
