"""A centre that only attacks, with one project of ours besieged at it."""

import io
import logging
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta

import pytest
import structlog
from sqlalchemy import text
from tests.contract.hostile.attacker import Attacker
from tests.contract.hostile.siege import SERVICE, TENANT, NoBudget, RealPauses, Siege
from tests.contract.platform_ssh import Stand, standing
from tests.paracloud.jobs.world import EAST, open_world

from paracloud.dialects.slurm.dialect import SlurmDialect
from paracloud.jobs.outpost import Outpost
from paracloud.kit.database import Database
from paracloud.kit.log import configure_logs


@pytest.fixture(scope="module")
async def stand() -> AsyncIterator[Stand]:
    async with standing() as stand:
        yield stand


@pytest.fixture
async def siege(stand: Stand, database: Database, owned: Database) -> AsyncIterator[Siege]:
    world = await open_world(database)
    world.clock = RealPauses()
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))  # a way, once agreed, stays
        await session.execute(text("UPDATE centres SET service_account = 'pc02'"))
        for lent, real in (("east0", "pc01"), ("east1", "spare1"), ("east2", "spare2")):
            statement = text("UPDATE centre_accounts SET account = :real WHERE account = :lent")
            await session.execute(statement, {"real": real, "lent": lent})
    attackers = [Attacker(stand.sshd.homes[name], uid) for name, uid in ((TENANT, 61001), (SERVICE, 61002))]
    async with stand.reach() as reach:
        outpost = Outpost(
            EAST, SERVICE, timedelta(minutes=10), SlurmDialect(), reach, NoBudget(), world.clock
        )  # fmt: skip
        yield Siege(world, outpost, await world.claim(EAST), *attackers)


@pytest.fixture
def logs() -> Iterator[io.StringIO]:
    """What a terminal would see of the log."""
    stream, before = io.StringIO(), logging.getLogger().handlers[:]
    configure_logs("debug", stream)
    yield stream
    structlog.reset_defaults()
    logging.getLogger().handlers[:] = before
    logging.getLogger().setLevel(logging.WARNING)
