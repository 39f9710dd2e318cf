"""Hours and cards that were corrected and taken back: on a statement, and in FOCUS, is what is left of them."""

import csv
import io
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal

from sqlalchemy import text
from tests.paracloud.billing.builders import NOW, World, charged, metered, record, world
from tests.paracloud.statements.month import stated

from paracloud.billing.reverse import reverse
from paracloud.identity.create_project import create_project
from paracloud.kit.database import Database
from paracloud.kit.identifiers import EntryId
from paracloud.statements import store
from paracloud.statements.check_focus import check_focus
from paracloud.statements.focus import Focus, text_of
from paracloud.statements.focus_columns import WRITTEN
from paracloud.statements.payers import any_payer
from paracloud.statements.statement import CORRECTION, REVERSAL, USAGE, Line, PayerKind, Statement, total

HOUR = 3600


async def ran(database: Database, opened: World, *tellings, is_taken_back: bool = False) -> None:
    """What accounting said of one execution, from the first to the last, each charged."""
    for one in tellings:
        await charged(database, await metered(database, opened, one))
    if not is_taken_back:
        return
    async with database.begin() as session:
        query = text("SELECT entry_id, usage_id FROM charges JOIN usage ON id = usage_id WHERE record_id = :record")
        entry, usage = (await session.execute(query, {"record": tellings[0].record_id})).first()
        await reverse(session, EntryId(entry), reason="bad node", person="chen", now=NOW, usage=usage)


def hours(id_: str, number: int, **changes: object):
    return record(
        id_, elapsed_seconds=number * HOUR, ended_at=NOW + timedelta(hours=number), **({"cores": 1} | changes)
    )


async def month_of(database: Database, opened: World) -> tuple[Statement, list[Line]]:
    async with database.begin() as session:
        payer = await any_payer(session, PayerKind.PROJECT, opened.project)
        organisation = await any_payer(session, PayerKind.ORGANISATION, payer.organisation_id)
    return await stated(database, organisation)


def focus_rows(statement: Statement, lines: list[Line]):
    focus = Focus(statement, "Cloud")
    rows = [row for line in lines for row in focus.of_line(line)]
    file = io.StringIO()
    csv.writer(file).writerows([WRITTEN, *([text_of(row.get(one)) for one in WRITTEN] for row in rows)])
    assert list(check_focus(file.getvalue().splitlines())) == []
    return rows


def consumed(rows) -> dict[str, Decimal]:
    sums: Counter[str] = Counter()
    for row in rows:
        sums[row["ConsumedUnit"]] += row["ConsumedQuantity"]
    return {unit: quantity for unit, quantity in sums.items() if quantity}


async def test_a_reversal_takes_back_the_hours_that_corrections_left(database):
    opened = await world(database)
    async with database.begin() as session:
        organisation = (await store.projects(session, project=opened.project))[0].organisation_id
        second = await create_project(session, organisation, "second", now=NOW)
    await ran(database, opened, hours("1", 8), hours("1", 4), is_taken_back=True)
    await ran(database, opened, hours("2", 8), hours("2", 4), hours("2", 5))
    await ran(database, World(second, opened.price), hours("3", 3), is_taken_back=True)
    statement, lines = await month_of(database, opened)
    assert [(one.record, one.kind, one.sums.core_seconds // HOUR) for one in lines] == [
        ("1", USAGE, 8), ("1", CORRECTION, -4), ("1", REVERSAL, -4),
        ("2", USAGE, 8), ("2", CORRECTION, -4), ("2", CORRECTION, 1),
        ("3", USAGE, 3), ("3", REVERSAL, -3),
    ]  # fmt: skip
    assert all((one.sums.core_seconds < 0) == (one.sums.amount < 0) for one in lines)
    of_lines = total(one.sums for one in lines)
    assert of_lines == statement.total == total(one.sums for one in statement.by_user)
    assert (of_lines.core_seconds, of_lines.jobs) == (5 * HOUR, 3)
    assert consumed(focus_rows(statement, lines)) == {"Core-Hours": 5}


async def test_cards_that_a_correction_takes_away_are_card_hours_taken_back(database):
    opened = await world(database)
    await ran(database, opened, hours("1", 4, gpus=1), hours("1", 4))
    statement, lines = await month_of(database, opened)
    _, back, instead = focus_rows(statement, lines)
    assert (back["ConsumedQuantity"], back["ConsumedUnit"], back["BilledCost"]) == (-4, "Card-Hours", -8)
    assert (instead["ConsumedQuantity"], instead["ConsumedUnit"], instead["BilledCost"]) == (4, "Core-Hours", 0)


async def test_rows_of_a_job_sum_to_what_it_used_in_the_end_whatever_changed(database):
    opened = await world(database)
    plain, cards = hours("0", 4, cores=2), hours("0", 4, cores=2, gpus=1)
    told = {
        "lost": (cards, plain), "gained": (plain, cards), "cores": (cards, replace(cards, cores=8)),
        "twice": (plain, cards, plain),
    }  # fmt: skip
    for name, tellings in told.items():
        for is_taken_back in (False, True):
            id_ = f"{name}-{is_taken_back}"
            named = [replace(one, native_id=id_, record_id=id_) for one in tellings]
            await ran(database, opened, *named, is_taken_back=is_taken_back)
    statement, lines = await month_of(database, opened)
    ended = {
        id_: consumed(focus_rows(statement, [one for one in lines if one.record == id_]))
        for id_ in {one.record for one in lines}
    }
    cores, gpus = {"Core-Hours": 8}, {"Card-Hours": 4}
    left = {"lost-False": cores, "gained-False": gpus, "cores-False": gpus, "twice-False": cores}
    assert ended == left | {f"{name}-True": {} for name in told}
