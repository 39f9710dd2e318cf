"""Sums of usage: exact to the second, each execution once."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracloud.kit.errors import Invalid
from paracloud.metering.report import By, Execution, Report, by_day, read_by

NOON = datetime(2026, 6, 1, 12, tzinfo=UTC)
SECONDS = st.integers(0, 40 * 86400)


def run(key: object = 1, *, start: datetime = NOON, seconds: int = 3600, wait: int = 60, **changes) -> Execution:
    values = {
        "key": (key,), "centre": "east", "queue": "cpu", "project": "physics", "user": "lin", "product_line": "general",
        "submitted_at": start - timedelta(seconds=wait), "started_at": start,
        "ended_at": start + timedelta(seconds=seconds), "cores": 4, "nodes": 2, "gpus": 1,
    }  # fmt: skip
    return Execution(**(values | changes))


def rows(*executions: Execution, by: str = "day") -> list[dict[str, object]]:
    report = Report(read_by(by))
    for one in executions:
        report.add(one)
    return [dict(row) for row in report.rows()]


def test_hours_are_split_at_midnight_and_a_job_counts_where_it_ends():
    first, second = rows(run(seconds=14 * 3600))
    assert (first["day"], first["jobs"], first["core_hours"]) == ("2026-06-01", 0, Decimal("48"))
    assert (second["day"], second["jobs"], second["core_hours"]) == ("2026-06-02", 1, Decimal("8"))
    assert (first["wait_hours"], second["wait_hours"]) == (Decimal("0.016667"), 0)
    assert (second["node_hours"], second["gpu_hours"], second["wall_hours"]) == (4, 2, 2)


def test_an_end_at_midnight_belongs_to_the_day_that_begins():
    first, second = rows(run(seconds=12 * 3600))
    assert (first["jobs"], second["jobs"], second["wall_hours"]) == (0, 1, 0)


def test_one_that_comes_twice_counts_once():
    report = Report((By.DAY,))
    for one in (run("a"), run("b"), run("a")):
        report.add(one)
    assert (report.repeated, next(report.rows())["jobs"]) == (1, 2)


def test_one_that_is_told_otherwise_later_counts_as_it_was_told_last():
    told = [run("a"), run("b"), run("a", seconds=7200), run("a"), run("b")]
    first = Report((By.DAY,))
    for one in told:
        first.add(one)
    assert (first.repeated, list(first.changed)) == (3, [("a",)])
    last = Report((By.DAY,), {("a",): run("a", seconds=7200)})
    for one in told:
        last.add(one)
    (row,) = last.rows()
    assert (row["jobs"], row["wall_hours"]) == (2, 3)


def test_rows_are_by_what_is_asked_in_that_order():
    found = rows(run(1), run(2, user="wang", queue="gpu"), run(3), by="queue,user,month")
    assert [(row["queue"], row["user"], row["month"], row["jobs"]) for row in found] == [
        ("cpu", "lin", "2026-06", 2),
        ("gpu", "wang", "2026-06", 1),
    ]


def test_parts_of_a_second_are_neither_lost_nor_won():
    half = timedelta(milliseconds=500)
    found = rows(*(run(number, start=NOON + number * half, seconds=86400) for number in range(1, 6)))
    assert sum(row["wall_hours"] for row in found) == 5 * 24


def test_an_end_before_the_start_is_no_time():
    (row,) = rows(run(seconds=-600, wait=-60))
    assert (row["jobs"], row["wall_hours"], row["core_hours"], row["wait_hours"]) == (1, 0, 0, 0)


def test_a_row_without_a_time_is_of_all_days():
    (row,) = rows(run(seconds=14 * 3600), by="centre")
    assert row == {"centre": "east", "jobs": 1} | {
        "core_hours": 56, "node_hours": 28, "gpu_hours": 14, "wall_hours": 14, "wait_hours": Decimal("0.016667"),
    }  # fmt: skip


@given(SECONDS, SECONDS)
def test_the_days_of_a_span_are_all_of_it(offset, seconds):
    start = int(NOON.timestamp()) + offset
    parts = list(by_day(start, start + seconds))
    assert sum(part for _, part in parts) == seconds
    assert all(0 < part <= 86400 for _, part in parts)
    assert len({datetime.fromtimestamp(at, UTC).date() for at, _ in parts}) == len(parts)


@given(st.lists(st.tuples(SECONDS, SECONDS, st.integers(1, 512)), max_size=8))
def test_by_whatever_the_sums_are_the_same(spans):
    executions = [
        run(number, start=NOON + timedelta(seconds=at), seconds=seconds, cores=cores)
        for number, (at, seconds, cores) in enumerate(spans)
    ]
    sums = {}
    for by in ("day", "month", "centre", "queue,day"):
        report = Report(read_by(by))
        for one in executions:
            report.add(one)
        parts = report._sums.values()
        sums[by] = (sum(part.jobs for part in parts), sum(part.core_seconds for part in parts))
    assert set(sums.values()) <= {(len(spans), sum(seconds * cores for _, seconds, cores in spans))}


@pytest.mark.parametrize("text", ["", "week", "day,day", "day,month", "day,"])
def test_what_is_no_dimension_is_refused(text):
    with pytest.raises(Invalid) as refusal:
        read_by(text)
    assert refusal.value.field == "by"
