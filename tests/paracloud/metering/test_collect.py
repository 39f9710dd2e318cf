"""A record counts once, however often and by whomever it is read; what the centre changes is a new revision."""

import asyncio
from dataclasses import fields, replace
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import ACCOUNT, EAST, NOW, RECORD, World, record, world

from paracloud.dialects.records import AccountingRecord
from paracloud.dialects.resources import frozen
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken
from paracloud.kit.identifiers import ProjectId, UnixAccount, new_uuid
from paracloud.metering.collect import Collected, collect
from paracloud.metering.listing import day_totals, usage_by_id, usage_of_job, usage_page
from paracloud.metering.store import STRANGERS_A_CENTRE
from paracloud.metering.usage import (
    MEASURED,
    MOST_BYTES,
    MOST_CORES,
    MOST_RESOURCES,
    MOST_SECONDS,
    UNCLAIMED,
    Claim,
    Usage,
    differs,
    key_of,
    metered,
    require_possible,
)


async def read(database: Database, opened: World, *records: AccountingRecord, job: str | None = None) -> Collected:
    claims = {key_of(EAST, one): Claim(job) for one in records}
    async with database.begin() as session:
        return await collect(session, EAST, records, owners={ACCOUNT: opened.project}, claims=claims, now=NOW)


async def scalar(database: Database, query: str) -> object:
    async with database.begin() as session:
        return (await session.execute(text(query))).scalar()


async def test_a_record_that_many_read_at_once_is_new_to_one_of_them(database: Database) -> None:
    opened = await world(database)
    records = [record(str(number)) for number in range(50)]
    orders = [records, records[::-1]] * 4
    outcomes = await asyncio.gather(*(read(database, opened, *order) for order in orders))
    assert sum(len(one.new) for one in outcomes) == 50
    assert all(len(one.new) + one.known == 50 and not one.corrected for one in outcomes)
    assert (await read(database, opened, *records)).known == 50


def test_what_is_measured_are_the_last_fields_of_a_usage() -> None:
    """They are handed over in this order."""
    assert tuple(one.name for one in fields(Usage))[-len(MEASURED) :] == MEASURED


async def test_an_end_that_is_to_come_is_not_metered(database: Database) -> None:
    """A day ahead may be its clock, or its zone."""
    opened = await world(database)
    assert len((await read(database, opened, record(ended_at=NOW + timedelta(days=1)))).new) == 1
    with pytest.raises(Broken, match="still to come"):
        await read(database, opened, record("8", ended_at=NOW + timedelta(days=1, seconds=1)))


async def test_a_change_that_many_see_at_once_is_one_revision(database: Database) -> None:
    opened = await world(database)
    (first,) = (await read(database, opened, record(), job="job-1")).new
    later = record(elapsed_seconds=120, raw="7|later")
    outcomes = await asyncio.gather(*(read(database, opened, later) for _ in range(6)))
    (corrected,) = [usage for one in outcomes for usage in one.corrected]
    assert (corrected.id, corrected.revision, corrected.core_seconds) == (first.id, 2, 480)
    assert corrected.reference == "job-1"
    query = "SELECT array_agg(raw || '=' || (measured ->> 'elapsed_seconds') ORDER BY revision) FROM usage_revisions"
    assert await scalar(database, query) == ["7|…=100", "7|later=120"]
    async with database.begin() as session:
        assert await usage_by_id(session, [first.id]) == [corrected]


async def test_a_collector_that_loses_the_race_still_sees_what_it_read_differently(database: Database) -> None:
    opened = await world(database)
    both = await asyncio.gather(read(database, opened, record()), read(database, opened, record(elapsed_seconds=130)))
    assert sorted((len(one.new), len(one.corrected)) for one in both) == [(0, 1), (1, 0)]


async def test_a_batch_of_any_size_is_one_batch(database: Database) -> None:
    opened = await world(database)
    records = [record(str(number)) for number in range(12_000)]
    assert len((await read(database, opened, *records, record("0"))).new) == 12_000
    assert (await read(database, opened, *records)).known == 12_000


async def test_usage_of_accounts_that_are_nobodys_is_kept_within_bounds_and_bills_nobody(database: Database) -> None:
    opened = await world(database)
    many = [record(account=UnixAccount(f"m{number:04}")) for number in range(STRANGERS_A_CENTRE + 50)]
    assert (await read(database, opened, *many)).strangers == len(many)
    assert await scalar(database, "SELECT count(*) FROM usage_strangers") == STRANGERS_A_CENTRE
    await read(database, opened, record(account=UnixAccount("m0000"), raw="again"))
    row = "SELECT records || raw FROM usage_strangers WHERE account = 'm0000'"
    assert await scalar(database, row) == "2again"
    assert await scalar(database, "SELECT count(*) FROM usage") == 0


@pytest.mark.parametrize(
    "impossible",
    [
        {"cores": -1},
        {"cores": MOST_CORES + 1},
        {"elapsed_seconds": MOST_SECONDS + 1},
        {"started_at": None},
        {"resources": {"licence.a": -1}},
        {"resources": {"licence.a": MOST_BYTES + 1}},
        {"resources": {f"licence.l{number}": 1 for number in range(MOST_RESOURCES + 1)}},
    ],
)
async def test_impossible_figures_are_not_understood_and_nothing_is_written(database, impossible) -> None:
    opened = await world(database)
    with pytest.raises(Broken, match="impossible figures"):
        await read(database, opened, record("1"), record("2", **impossible))
    assert await scalar(database, "SELECT count(*) FROM usage") == 0


async def test_resources_are_kept_as_told_and_what_the_centre_changes_of_them_is_a_revision(database) -> None:
    opened = await world(database)
    most = frozen({f"licence.l{number:02}": MOST_BYTES for number in range(MOST_RESOURCES)})
    (first,) = (await read(database, opened, record(resources=most))).new
    assert (await read(database, opened, record(resources=dict(reversed(most.items()))))).known == 1
    fewer = frozen({"resource.fpga": 1, "licence.l00": 2})
    (second,) = (await read(database, opened, record(resources=fewer))).corrected
    async with database.begin() as session:
        (kept,) = await usage_by_id(session, [first.id])
    assert (kept, list(kept.resources)) == (second, ["licence.l00", "resource.fpga"])
    with pytest.raises(TypeError):
        kept.resources["licence.l00"] = 0
    query = "SELECT array_agg(measured -> 'resources' ORDER BY revision) FROM usage_revisions"
    assert await scalar(database, query) == [dict(most), dict(fewer)]


@pytest.mark.parametrize("count", [1, 300])
async def test_usage_of_any_number_says_what_it_had(database, count: int) -> None:
    opened = await world(database)
    had = frozen({"licence.matlab": 3})
    await read(database, opened, *(record(str(number), resources=had) for number in range(count)))
    assert await scalar(database, "SELECT sum((resources -> 'licence.matlab')::int) FROM usage") == 3 * count
    assert await scalar(database, "SELECT count(*) FROM usage WHERE resources = '{}'") == 0


SILENT = frozenset({"resources"})


async def test_a_source_that_tells_no_resources_takes_none_away(database) -> None:
    opened = await world(database)
    had = frozen({"licence.matlab": 3})
    await read(database, opened, record(resources=had))
    assert (await read(database, opened, record(unsaid=SILENT))).known == 1
    (later,) = (await read(database, opened, record(unsaid=SILENT, cores=8))).corrected
    assert (later.resources, later.cores) == (had, 8)


async def test_a_source_that_tells_resources_is_news_where_none_did(database) -> None:
    opened = await world(database)
    await read(database, opened, record(unsaid=SILENT))
    (told,) = (await read(database, opened, record())).corrected
    assert told.unsaid == set()
    assert (await read(database, opened, record(unsaid=SILENT))).known == 1


async def test_what_no_source_tells_stays_unsaid_and_what_one_tells_is_said(database) -> None:
    opened = await world(database)
    few = frozenset({"qos", "nodes", "memory_bytes"})
    (new,) = (await read(database, opened, record(unsaid=few))).new
    assert new.unsaid == {"nodes", "memory_bytes"}
    (later,) = (await read(database, opened, record(unsaid=frozenset({"memory_bytes"}), nodes=7))).corrected
    assert (later.unsaid, later.nodes) == ({"memory_bytes"}, 7)
    query = "SELECT array_agg(measured -> 'unsaid' ORDER BY revision) FROM usage_revisions"
    assert await scalar(database, query) == [["memory_bytes", "nodes"], ["memory_bytes"]]


@pytest.mark.parametrize("tree", ["[]", "1", '{"licence.a": -1}', '{"licence.a": "3"}', "null"])
async def test_the_database_itself_keeps_no_other_resources_than_counts(database, tree: str) -> None:
    opened = await world(database)
    await read(database, opened, record())
    with pytest.raises(DBAPIError, match="ck_usage_resources"):
        await scalar(database, f"UPDATE usage SET resources = '{tree}', revision = revision + 1 RETURNING 1")  # noqa: S608  # ours


@given(
    st.sampled_from(["elapsed_seconds", "cores", "nodes", "gpus", "exit_code", "memory_bytes"]), st.integers(1, 10**6)
)
def test_only_what_the_centre_measured_makes_a_difference(field: str, more: int) -> None:
    known = _usage()
    assert not differs(known, RECORD)
    assert not differs(known, replace(RECORD, raw="other", name="renamed"))
    changed = replace(RECORD, **{field: getattr(RECORD, field) + more})
    assert differs(known, changed)
    require_possible(changed)


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE usage SET project_id = (SELECT max(id::text)::uuid FROM projects), cores = 1",
        "UPDATE usage SET reference = 'mine', revision = revision + 1",
        "UPDATE usage SET cores = 1",
        "DELETE FROM usage",
        "TRUNCATE usage CASCADE",
        "DELETE FROM usage_revisions",
    ],
)
async def test_the_database_itself_keeps_usage(database: Database, owned: Database, forgery: str) -> None:
    opened = await world(database)
    await read(database, opened, record())
    with pytest.raises(DBAPIError, match=r"append-only|only the figures"):
        await scalar(owned, forgery)


async def test_pages_show_each_usage_once_and_only_to_its_project(database: Database) -> None:
    opened = await world(database)
    for number in range(3):
        await read(database, opened, *(record(f"{number}{k}") for k in range(4)), job="job-1")
    stranger = ProjectId(new_uuid())
    async with database.begin() as session:
        first = await usage_page(session, [opened.project], limit=7)
        second = await usage_page(session, [opened.project], before=first[-1].id, limit=7)
        assert len({usage.id for usage in (*first, *second)}) == 12
        assert [usage.id for usage in (*first, *second)] == sorted((u.id for u in (*first, *second)), reverse=True)
        assert len(await usage_of_job(session, [opened.project], "job-1")) == 12
        assert await usage_page(session, [stranger]) == []
        assert await usage_of_job(session, [stranger], "job-1") == []
        (total,) = await day_totals(session, NOW - timedelta(days=1), NOW + timedelta(days=1))
    assert (total.centre, total.day, total.usages, total.core_seconds) == (EAST, NOW.date(), 12, 12 * 400)


def _usage():
    return metered(key_of(EAST, RECORD), RECORD, ProjectId(new_uuid()), UNCLAIMED)
