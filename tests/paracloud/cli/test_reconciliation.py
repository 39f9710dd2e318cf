"""`paracloud admin reconciliation, reconciliations, notices, close`."""

import json
from datetime import timedelta

import pytest
from tests.paracloud.api.test_reconciliation import looked
from tests.paracloud.jobs.world import START


def test_a_days_books_are_shown_and_differences_are_an_exit_status(terminal, served, boss, lin):
    served.do(looked(served.house, lin, 1))
    served.do(looked(served.house, lin, 2, 100, -30))
    assert "3 records" in terminal.say(boss, "admin", "reconciliation", "east", "2026-06-01")
    differs = terminal.run(boss, "admin", "reconciliation", "east", "2026-06-02", language="zh_CN.UTF-8")
    assert (differs.returncode, "已更改" in differs.stdout, "0.000100" in differs.stdout) == (1, True, True)
    shown = terminal.say(boss, "admin", "reconciliations", "--month", "2026-06")
    assert ("agrees" in shown, "differs" in shown) == (True, True)
    items = json.loads(terminal.say(boss, "admin", "reconciliations", "--month", "2026-06", "--differing", "--json"))
    assert [one["day"] for one in items["items"]] == ["2026-06-02"]


def test_the_operator_reads_what_it_was_told(terminal, served, boss, lin):
    served.do(looked(served.house, lin, 2, 100))
    assert "对账发现 1 处差异" in terminal.say(boss, "admin", "notices", language="zh_CN.UTF-8")
    assert json.loads(terminal.say(boss, "admin", "notices", "--json"))["items"][0]["of"] == "operator"


def test_closing_a_month_names_what_does_not_agree(terminal, served, lin):
    served.do(looked(served.house, lin, 2, 100))
    served.house.clock.at = START + timedelta(days=40)
    chief = served.do(served.house.operator("chief"))
    refused = terminal.run(chief, "admin", "close", "2026-06")
    assert (refused.returncode, "east 2026-06-02" in refused.stderr, "--anyway" in refused.stderr) == (1, True, True)
    asked = terminal.run(chief, "admin", "close", "2026-06", "--dry-run")
    assert (asked.returncode, "not looked at" in asked.stdout, "differs" in asked.stdout) == (1, True, True)
    assert json.loads(terminal.run(chief, "admin", "close", "2026-06", "--dry-run", "--json").stdout)["unrated"] == 0
    done = terminal.run(chief, "admin", "close", "2026-06", "--anyway")
    assert (done.returncode, done.stdout.startswith("closed\n")) == (0, True)
    assert "do not agree" in done.stderr
    assert "not looked at" in done.stdout
    assert terminal.say(chief, "admin", "close", "2026-06", "--dry-run") == "closed before\n"
    assert terminal.say(chief, "admin", "close", "2026-06").startswith("closed before\n")


def test_a_month_that_never_was_is_closed_by_a_later_one_and_is_said_to_be(terminal, served, lin):
    served.house.clock.at = START + timedelta(days=40)
    chief = served.do(served.house.operator("chief"))
    terminal.say(chief, "admin", "close", "2026-06", "--anyway")
    for more in ([], ["--dry-run"]):
        said = terminal.say(chief, "admin", "close", "2026-03", *more)
        assert said.startswith("never closed itself: 2026-06, a later month, is closed")
        assert "2026-06 已关账" in terminal.say(chief, "admin", "close", "2026-03", *more, language="zh_CN.UTF-8")
        assert (
            json.loads(terminal.say(chief, "admin", "close", "2026-03", *more, "--json"))["later_closed"] == "2026-06"
        )


@pytest.mark.parametrize("month", ["2026/09", "9999-12", "2026-13", "June"])
def test_what_is_no_month_is_said_before_anything_is_asked(terminal, boss, month):
    for words in (
        ("admin", "close", month),
        ("statement", "show", month),
        ("admin", "reconciliations", "--month", month),
    ):
        done = terminal.run(boss, *words)
        assert (done.returncode, "write it as 2026-06" in done.stderr.replace("\n", " ")) == (2, True)
