"""A month with everything in it: two projects, a package that pays a part and one that expires, a credit, dedicated
nodes, a correction, reversals, top-ups, an open hold; and what it comes to, worked out by hand."""

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta

from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, World, charged, metered, record, sold, world

from paracloud.billing.cover import Unit
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.expire_packages import expire_packages
from paracloud.billing.hold import hold
from paracloud.billing.post_fees import post_fees
from paracloud.billing.reverse import reverse
from paracloud.billing.top_up import top_up
from paracloud.identity.create_project import create_project
from paracloud.kit.database import Database
from paracloud.kit.identifiers import OrganisationId, ProjectId
from paracloud.kit.money import Money
from paracloud.statements import store
from paracloud.statements.state_month import lines_of, state_month
from paracloud.statements.statement import Line, Payer, PayerKind, Statement

JUNE = date(2026, 6, 1)
LATER = datetime(2026, 6, 20, tzinfo=UTC)
EVIL = '=HYPERLINK("http://evil")'


@dataclass(frozen=True)
class Month:
    world: World
    other: ProjectId
    organisation: OrganisationId


async def payer_in(database: Database, month: Month, *, is_whole: bool) -> Payer:
    async with database.begin() as session:
        rows = await store.projects(session, organisation=month.organisation)
    named = {ProjectId(row.id): row.name for row in rows}
    own, organisation = month.world.project, rows[0].organisation
    if is_whole:
        return Payer(PayerKind.ORGANISATION, month.organisation, organisation, organisation, month.organisation, named)
    return Payer(PayerKind.PROJECT, own, named[own], organisation, month.organisation, {own: named[own]})


async def full_month(database: Database) -> Month:
    opened = await world(database)
    async with database.begin() as session:
        rows = await store.projects(session, project=opened.project)
        organisation = OrganisationId(rows[0].organisation_id)
        other = await create_project(session, organisation, EVIL, now=NOW)
        await top_up(session, other, Money.parse("50"), key="second", person="op", now=NOW)
    await sold(database, opened, hours=1, price="0.9")  # pays 3600 core-seconds of the first job's 7200
    await sold(database, opened, hours=10, price="7", expires_at=NOW + timedelta(days=3), product_line="ai")
    await sold(
        database, opened, price="0", unit=Unit.MICRO, total=20_000, hours=0, name="试用金", valid_from=NOW,
        expires_at=NOW + timedelta(days=9),
    )  # fmt: skip
    long = record("7", name=EVIL, elapsed_seconds=1800, ended_at=NOW + timedelta(seconds=1800))
    (first,) = await metered(database, opened, long)
    await charged(database, [first])
    shorter = replace(long, elapsed_seconds=1700, ended_at=NOW + timedelta(seconds=1700))
    await charged(database, await metered(database, opened, shorter))
    cards = await metered(database, opened, record("8", cores=0, gpus=1, elapsed_seconds=3600))
    await charged(database, cards)
    elsewhere = World(other, opened.price)
    await charged(database, await metered(database, elsewhere, record("9")))
    await charged(database, await metered(database, elsewhere, record("10", cores=8)))
    async with database.begin() as session:
        await _take_back(session, "10")
        await hold(session, opened.project, "job-1", Money.parse("3"), now=NOW)
        nodes = Dedication(
            new_dedication_id(), other, EAST, "own", 1, Money.parse("12"), 5000, NOW.replace(hour=0), None
        )
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
        assert await post_fees(session, JUNE, now=NOW) == []
        await expire_packages(session, now=LATER)
    return Month(opened, other, organisation)


async def _take_back(session, record_id: str) -> None:
    found = await session.execute(
        text("SELECT entry_id FROM charges JOIN usage ON id = usage_id WHERE record_id = :record"),
        {"record": record_id},
    )
    await reverse(session, found.scalar_one(), reason="+wrong node", person="op", now=NOW)


async def stated(database: Database, payer: Payer, now: datetime = LATER) -> tuple[Statement, list[Line]]:
    async with database.begin() as session:
        statement = await state_month(session, payer, JUNE, now=now)
        return statement, [line async for page in lines_of(session, payer, JUNE) for line in page]
