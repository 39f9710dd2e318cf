"""`paracloud centre …` and the operator's side of it."""

import json
from datetime import timedelta

import pytest
from tests.paracloud.api.test_settlement import MONTH, used
from tests.paracloud.jobs.world import EAST


@pytest.fixture
def settling(served, lin):
    """A run of a customer is charged at the centre, and its month is over: the centre's person and the operator."""
    served.do(used(served.house, lin))
    served.house.clock.at += timedelta(days=62)
    [east] = served.tenants("dong")
    return east, served.do(served.house.operator("chief"))


def test_a_month_is_settled_from_statement_to_payment(terminal, settling):
    east, chief = settling
    terminal.say(chief, "admin", "centre-person", "dong", EAST)
    assert "dong" in terminal.say(chief, "admin", "centre-people", EAST)
    terminal.say(chief, "admin", "close", MONTH, "--anyway")
    stated = json.loads(terminal.say(chief, "admin", "settle", MONTH, "--json"))["items"]
    id_ = next(one["id"] for one in stated if one["centre"] == EAST)
    shown = terminal.say(east, "centre", "settlement", EAST, MONTH, language="zh_CN.UTF-8")
    assert [word for word in ("80.00 %", "总额", "10.0000") if word not in shown] == []
    assert "36000" in terminal.say(east, "centre", "lines", EAST, MONTH)
    line = json.loads(terminal.say(east, "centre", "lines", EAST, MONTH, "--json"))
    of_line = terminal.say(east, "centre", "dispute", EAST, MONTH, "时间有误", "--usage", line["usage"]).strip()
    of_all = terminal.say(east, "centre", "dispute", EAST, MONTH, "缺少作业 4711").strip()
    waits = terminal.say(chief, "admin", "settlements")
    assert [word for word in (id_, of_line, of_all, "缺少作业 4711") if word not in waits] == []
    assert of_all in terminal.say(chief, "admin", "notices")
    dear = ("--adjustment", "9999")
    refused = terminal.run(chief, "admin", "answer-dispute", of_line, "是", *dear)
    assert (refused.returncode, "--beyond-charge" in refused.stderr) == (1, True)
    terminal.say(chief, "admin", "answer-dispute", of_line, "是", *dear, "--beyond-charge")
    terminal.say(chief, "admin", "answer-dispute", of_all, "否", "--adjustment=-20000", "--beyond-charge")
    terminal.say(east, "centre", "confirm", EAST, MONTH)
    owes = terminal.run(chief, "admin", "pay-settlement", id_, "theirs-1")
    assert (owes.returncode, "--from-centre" in owes.stderr) == (1, True)
    assert "paid" in terminal.say(chief, "admin", "pay-settlement", id_, "theirs-1", "--from-centre")
    assert id_ in terminal.say(chief, "admin", "settlements", "--month", MONTH)
    assert id_ not in terminal.say(chief, "admin", "settlements")
    terminal.say(chief, "admin", "centre-person", "dong", EAST, "--remove")
    assert terminal.run(east, "centre", "settlements", EAST).returncode == 4
