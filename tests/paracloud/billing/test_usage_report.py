"""Stored usage is summed by the rules of a log's dry run: to the second, of the caller's projects alone."""

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text
from tests.paracloud.billing.builders import ACCOUNT, EAST, NOW, World, charged, metered, record, world
from tests.paracloud.dialects.log_lines import sacct

from paracloud.billing import usage_report as verb
from paracloud.billing.hold import hold
from paracloud.billing.usage_report import usage_report
from paracloud.dialects.history import HistoryRecord, accounted
from paracloud.dialects.slurm import history as slurm
from paracloud.identity.create_project import create_project
from paracloud.identity.create_user import create_user
from paracloud.kit.errors import Invalid
from paracloud.kit.identifiers import OrganisationId, ProjectId, UnixAccount
from paracloud.kit.money import Money
from paracloud.metering.collect import collect
from paracloud.metering.report import Report, execution, read_by

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
LOG = [
    sacct(),
    sacct(JobID="72", JobIDRaw="72", Partition="gpu", Start="2026-06-01T23:59:59", End="2026-06-04T00:00:00"),
    sacct(JobID="73", JobIDRaw="73", User="wang", Start="2026-06-02T00:00:00", End="2026-06-02T00:00:00", Elapsed=""),
    sacct(JobID="74", JobIDRaw="74", NCPUS="1", NNodes="1", Start="2026-06-30T12:00:01", End="2026-07-02T07:07:07"),
    # The clock was set back: its wait is of the 4th, it is a job of the 2nd, and it used no time.
    sacct(JobID="75", JobIDRaw="75", Start="2026-06-04T08:00:00", End="2026-06-02T09:00:00", Elapsed=""),
    sacct(JobID="76_[1-3]", JobIDRaw="76", Submit="2026-06-01T00:00:01"),
]


@pytest.fixture
async def opened(database) -> World:
    return await world(database, "1000000")


def told(lines: Iterable[str]) -> list[HistoryRecord]:
    return [one for one in slurm.read(lines) if isinstance(one, HistoryRecord)]


async def store(database, project: ProjectId, records: Iterable[HistoryRecord]) -> None:
    some = [accounted(one) for one in records]
    owners = {one.account: project for one in some}
    async with database.begin() as session:
        await collect(session, EAST, some, owners=owners, claims={}, now=NOW + 40 * DAY)


async def stored(database, by: str, projects=None, start: date | None = None, end: date | None = None):
    """As `metering.report` gives its rows."""
    words = read_by(by)
    async with database.begin() as session:
        found = await usage_report(session, projects, words, start=start, end=end)
    return [{word.value: name for word, name in zip(words, one.names, strict=True)} | one.sums.hours() for one in found]


def dry(records: Iterable[HistoryRecord], by: str):
    report = Report(read_by(by))
    for one in records:
        report.add(execution(one, EAST))
    return [dict(one) for one in report.rows()]


@pytest.mark.parametrize("by", ["day", "month", "day,queue", "user,month", "centre,queue,user", "queue,day,user"])
async def test_stored_usage_sums_to_what_the_dry_run_of_its_log_says(database, opened, by):
    await store(database, opened.project, told(LOG))
    expected = dry(told(LOG), by)
    assert await stored(database, by) == expected
    assert sum(row["jobs"] for row in expected) == 8


SECONDS = st.integers(0, 5 * 86400)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(SECONDS, SECONDS, SECONDS, st.integers(1, 9)), min_size=1, max_size=12))
async def test_any_log_sums_to_what_its_dry_run_says(database, opened, runs):
    queue = f"q{next(NUMBERS)}"
    records = told(
        sacct(
            JobID=str(next(NUMBERS)), JobIDRaw="", Submit=at(submit), Start=at(start), End=at(end), Elapsed="",
            NCPUS=str(cores), Partition=queue,
        )
        for submit, start, end, cores in runs
    )  # fmt: skip
    assert len(records) == len(runs)
    await store(database, opened.project, records)
    mine = [row for row in await stored(database, "queue,day") if row["queue"] == queue]
    assert mine == dry(records, "queue,day")


NUMBERS = iter(range(1000, 10**9))


def at(second: int) -> str:
    return (datetime(2026, 6, 1, tzinfo=UTC) + timedelta(seconds=second)).strftime("%Y-%m-%dT%H:%M:%S")


async def test_days_that_are_asked_are_those_rows_of_the_whole(database, opened):
    await store(database, opened.project, told(LOG))
    whole = await stored(database, "day")
    days = [date(2026, 6, 1) + timedelta(days=number) for number in range(33)]
    for start in days[:6]:
        for end in days[1:6]:
            if start < end:
                expected = [row for row in whole if str(start) <= row["day"] < str(end)]
                assert await stored(database, "day", None, start, end) == expected
    assert await stored(database, "day", None, days[29], None) == [row for row in whole if row["day"] >= str(days[29])]
    (june,) = await stored(database, "month", None, None, date(2026, 7, 1))
    assert june == next(row for row in dry(told(LOG), "month") if row["month"] == "2026-06")


async def test_a_report_is_of_the_projects_that_are_asked_and_names_alike_stay_apart(database, opened):
    async with database.begin() as session:
        one = OrganisationId((await session.execute(text("SELECT organisation_id FROM projects"))).scalar_one())
        other = await create_project(session, one, "邻组", now=NOW)
    await store(database, opened.project, told(LOG[:1]))
    await store(database, other, told([sacct(JobID="90", JobIDRaw="90", NCPUS="8")]))
    assert [row["project"] for row in await stored(database, "project")] == ["熔体", "邻组"]
    (mine,) = await stored(database, "project", [opened.project])
    assert (mine["project"], mine["core_hours"]) == ("熔体", 64 * 24)
    assert await stored(database, "project", []) == []


async def test_a_job_of_the_platform_is_its_users_and_what_was_started_by_hand_its_accounts(database, opened):
    async with database.begin() as session:
        user = await create_user(session, "lin", now=NOW)
        await hold(session, opened.project, "job-1", Money.parse("1"), user=user, now=NOW)
    await metered(database, opened, record("1"), job="job-1")
    await metered(database, opened, record("2", account=UnixAccount(ACCOUNT)))
    assert [row["user"] for row in await stored(database, "user")] == [ACCOUNT, "lin"]


async def test_usage_is_of_the_product_line_that_charged_it_or_unrated(database, opened):
    rated = await metered(database, opened, record("1"))
    await charged(database, rated)
    await metered(database, opened, record("2", queue="new"))
    assert [(row["product-line"], row["jobs"]) for row in await stored(database, "product-line")] == [
        ("general", 1),
        ("unrated", 1),
    ]


async def test_a_correction_counts_once_and_with_its_newest_figures(database, opened):
    await charged(database, await metered(database, opened, record("1")))
    await charged(database, await metered(database, opened, record("1", ended_at=NOW + 2 * HOUR, elapsed_seconds=7200)))
    (row,) = await stored(database, "product-line")
    assert (row["jobs"], row["wall_hours"], row["core_hours"]) == (1, 2, 8)


async def test_what_never_ran_is_no_job(database, opened):
    await metered(database, opened, record("1", started_at=None, elapsed_seconds=0))
    assert await stored(database, "day") == []


async def test_a_span_without_a_day_and_too_many_rows_are_refused(database, opened, monkeypatch):
    await store(database, opened.project, told(LOG))
    with pytest.raises(Invalid, match="must come after 2026-06-02"):
        await stored(database, "day", None, date(2026, 6, 2), date(2026, 6, 2))
    days = len(await stored(database, "day"))
    monkeypatch.setattr(verb, "MOST_ROWS", days)
    assert len(await stored(database, "day")) == days
    monkeypatch.setattr(verb, "MOST_ROWS", days - 1)
    with pytest.raises(Invalid, match=f"more than {days - 1} rows"):
        await stored(database, "day")
