"""`paracloud admin forecasts`."""

import json
from datetime import timedelta

from tests.paracloud.api.test_forecasts import said


def test_the_operator_reads_how_often_forecasts_held_in_both_languages(terminal, served, boss, lin):
    served.do(said(served.house, lin))
    served.house.clock.forward(timedelta(minutes=2))
    shown = terminal.say(boss, "admin", "forecasts")
    assert [word for word in ("east", "wait", "0.00", "the plain rule predicts") if word not in shown] == []
    chinese = terminal.say(boss, "admin", "forecasts", "--centre", "east", language="zh_CN.UTF-8")
    assert [word for word in ("排队时间", "P90 命中", "现用简单规则") if word not in chinese] == []
    found = json.loads(terminal.say(boss, "admin", "forecasts", "--days", "1", "--json"))
    assert found["centres"][0]["wait"]["count"] == 1


def test_where_nothing_was_said_there_is_nothing_to_show(terminal, boss):
    assert json.loads(terminal.say(boss, "admin", "forecasts", "--json")) == {"centres": [], "models": []}
