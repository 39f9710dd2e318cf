"""A simulated centre, put together."""

import asyncio
from dataclasses import dataclass

from tests.simulation.accounting import Accounting
from tests.simulation.controller import Controller
from tests.simulation.faults import Faults
from tests.simulation.guard import Guard
from tests.simulation.journal import Journal
from tests.simulation.login import Login
from tests.simulation.sbatch import Clients

from paracloud.kit.identifiers import CentreName, UnixAccount

CORRECTIONS = (0.0, 0.0, 0.0, 0.2)
"""Of four histories one has an accounting that changes its mind."""


@dataclass(frozen=True, slots=True)
class Site:
    name: CentreName
    accounts: tuple[UnixAccount, ...]
    accounting: Accounting
    controller: Controller
    guard: Guard
    login: Login


def build_site(
    loop: asyncio.AbstractEventLoop,
    faults: Faults,
    journal: Journal,
    name: str,
    *,
    guard: type[Guard] = Guard,
    controller: type[Controller] = Controller,
) -> Site:
    accounting = Accounting(loop, faults, faults.random.choice(CORRECTIONS))
    slurmctld = controller(loop, faults, journal, accounting)
    guards = guard(loop, faults, Clients(loop, faults, journal, slurmctld, accounting))
    login = Login(loop, faults, slurmctld, accounting, guards)
    accounts = tuple(UnixAccount(f"{name}{number}") for number in range(2))
    return Site(CentreName(name), accounts, accounting, slurmctld, guards, login)
