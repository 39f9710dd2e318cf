"""A month that is stated, and what is asked of it."""

from datetime import UTC, date, datetime
from decimal import Decimal

from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World

from paracloud.billing import store as ledger
from paracloud.billing.close_period import close_period
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.create_project import create_project
from paracloud.kit.identifiers import OrganisationId, ProjectId
from paracloud.settlement.people import lines_of
from paracloud.settlement.settled import Settlement
from paracloud.settlement.state_settlements import state_settlements
from paracloud.settlement.store_lines import FIRST, Key, Line

JUNE = date(2026, 6, 1)
JULY = datetime(2026, 7, 2, tzinfo=UTC)
START = datetime(2026, 6, 1, tzinfo=UTC)
TIERS = Tiers((Tier(Decimal(0), Decimal("0.75")), Tier(Decimal("0.02"), Decimal("0.9"))))


async def stated(database, *, is_closed: bool = True) -> list[Settlement]:
    async with database.begin() as session:
        if is_closed:
            await close_period(session, JUNE, person="op", now=JULY)
        return await state_settlements(session, JUNE, person="op", now=JULY)


async def balance(database, code: str) -> int:
    async with database.begin() as session:
        return await ledger.balance(session, code)


async def do(database, verb, *args, **more):
    async with database.begin() as session:
        return await verb(session, *args, now=JULY, **more)


async def neighbour(database, opened: World) -> ProjectId:
    """A project that lends its nodes."""
    async with database.begin() as session:
        query = text("SELECT organisation_id FROM projects WHERE id = :project")
        organisation = (await session.execute(query, {"project": opened.project})).scalar_one()
        return await create_project(session, OrganisationId(organisation), "邻组", now=NOW)


async def lines_in(database, *, after: Key = FIRST) -> list[Line]:
    async with database.begin() as session:
        return await lines_of(session, EAST, JUNE, day=JUNE, after=after)
