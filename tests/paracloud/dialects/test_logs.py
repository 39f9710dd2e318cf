"""Whole logs, and what each comes to: arrays, jobs that have not ended, unknown states, letters of all the world, and
Grid Engine's file. They are of our own making, after the cases that XDMoD's tests of its shredder cover."""

import json
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path

import pytest

from paracloud.dialects.history import HistoryRecord, LeftOut, Told
from paracloud.kit.text_file import open_lines
from paracloud.metering.log import judged
from paracloud.metering.report import By, Report, execution

LOGS = Path(__file__).with_name("logs")
EXPECTED = json.loads((LOGS / "expected.json").read_text())


def told(name: str) -> list[Told]:
    file = LOGS / name
    with open_lines(file, name=name) as lines:
        return list(judged(lines, file.suffix[1:], datetime(2027, 1, 1, tzinfo=UTC)))


def counted(found: list[Told]) -> dict[str, int]:
    return Counter(
        "execution" if isinstance(one, HistoryRecord) else one.why if isinstance(one, LeftOut) else "not understood"
        for one in found
    )


def days(found: list[Told]) -> list[dict[str, object]]:
    report = Report((By.DAY,))
    for one in found:
        if isinstance(one, HistoryRecord):
            report.add(execution(one, "lab"))
    assert not report.changed
    return [{name: value if name == "day" else float(value) for name, value in row.items()} for row in report.rows()]


@pytest.mark.parametrize("name", sorted(EXPECTED))
def test_a_log_comes_to_what_was_reckoned_by_hand(name):
    found = told(name)
    assert counted(found) == EXPECTED[name]["lines"]
    assert days(found) == EXPECTED[name]["days"]


def test_every_log_is_reckoned():
    assert {file.name for file in LOGS.iterdir()} == {*EXPECTED, "expected.json"}


def test_the_tasks_of_an_array_are_those_that_its_lines_name():
    tasks = [(one.native_id, one.task_index) for one in told("arrays.sacct") if isinstance(one, HistoryRecord)]
    listed = [4, 1, 2, 3, 5, 9, 11, 12, 13, 20, 21, 24, 27, 4]
    assert tasks == [*(("500", index) for index in listed), ("510", None), ("510", None)]


def test_letters_keep_their_places():
    found = [one for one in told("multibyte.sacct") if isinstance(one, HistoryRecord)]
    assert [(one.name, one.account, one.cluster) for one in found] == [
        ("熔体|naïve 🜁 모델", "melt", "lab"),
        ("lj", "物理", "lab"),
        ("lj", "melt", "é" * 60),
    ]
