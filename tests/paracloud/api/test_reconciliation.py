"""The looks at days over the API, what the operator is told, and what a month's closing names."""

from datetime import date, timedelta

import pytest
from tests.paracloud.api.house import House
from tests.paracloud.jobs.world import EAST, HOST_KEY, START, WEST

from paracloud.billing.mismatch import Cause, Mismatch, Reconciliation
from paracloud.billing.reconciliations import keep_look, keep_silence
from paracloud.kit.errors import Unreachable

DAY = timedelta(days=1)
FIRST = START.replace(hour=0)


async def looked(house: House, lin, number: int, *micros: int) -> None:
    """A look at the n-th day of the month, on the morning after it."""
    start = FIRST + (number - 1) * DAY
    found = [
        Mismatch(Cause.CHANGED, str(micro), lin.project, micro, "the centre has changed it", "已更改")
        for micro in micros
    ]
    books = Reconciliation(EAST, start, start + DAY, 3, 900, 1000, 750, tuple(found))
    async with house.database.begin() as session:
        assert await keep_look(session, books, None, now=start + DAY + timedelta(hours=3))


@pytest.fixture
async def month(house, lin):
    """Three days of June at one centre: one agrees, one differs, of one it was silent."""
    await looked(house, lin, 1)
    await looked(house, lin, 2, 100, -30)
    async with house.database.begin() as session:
        silent = Unreachable("it is silent", "没有应答")
        await keep_silence(session, EAST, date(2026, 6, 3), silent, now=FIRST + 4 * DAY)


async def listed(house, boss, query: str) -> list[tuple[str, str]]:
    answer = await house.ask(boss, "GET", f"/operator/reconciliations?{query}")
    assert answer.status_code == 200, answer.text
    return [(one["day"], one["state"]) for one in answer.json()["items"]]


async def test_the_days_of_a_month_are_listed_with_their_state(house, boss, month):
    days = [("2026-06-01", "agrees"), ("2026-06-02", "differs"), ("2026-06-03", "unanswered")]
    assert await listed(house, boss, "month=2026-06") == days
    assert await listed(house, boss, "differing=true") == days[1:]
    assert await listed(house, boss, "month=2026-05") == []
    assert await listed(house, boss, f"month=2026-06&centre={WEST}") == []
    house.clock.at = FIRST + 40 * DAY
    chief = await house.operator("chief")
    assert await listed(house, chief, "") == []
    assert await listed(house, chief, f"centre={EAST}") == days
    assert await listed(house, chief, f"centre={WEST}") == []


async def test_a_days_differences_are_shown_with_cause_and_amount(house, boss, month):
    found = (await house.ask(boss, "GET", f"/operator/reconciliations/{EAST}/2026-06-02")).json()
    assert (found["off"]["amount"], found["differences"], found["looks"]) == ("0.000130", 2, 1)
    assert [(one["cause"], one["amount"]["amount"]) for one in found["mismatches"]] == [
        ("changed", "0.000100"),
        ("changed", "-0.000030"),
    ]
    silent = (await house.ask(boss, "GET", f"/operator/reconciliations/{EAST}/2026-06-03")).json()
    assert (silent["state"], silent["reason_zh"]) == ("unanswered", "没有应答")


@pytest.mark.parametrize(
    ("method", "day", "status"),
    [
        ("GET", "2026-06-09", 404),
        ("POST", "2031-01-01", 422),
        ("GET", "9999-12-31", 422),
        ("POST", "9999-12-31", 422),
        ("POST", "2031-01-01:collect", 422),
        ("POST", "9999-12-31:collect", 422),
    ],
)
async def test_a_day_that_nobody_looked_at_or_that_is_to_come_is_refused(house, boss, method, day, status):
    answer = await house.ask(boss, method, f"/operator/reconciliations/{EAST}/{day}")
    assert (answer.status_code, bool(answer.json()["detail_zh"])) == (status, True)


@pytest.mark.parametrize("act", ["", ":collect"])
async def test_of_a_centre_that_is_none_it_is_said_so(house, boss, act):
    answer = await house.ask(boss, "POST", f"/operator/reconciliations/nowhere/2026-06-01{act}")
    assert answer.status_code == 404


async def test_a_centre_without_a_host_has_history_alone_until_it_is_connected(house, boss):
    plain = {"name": "past", "title_en": "Past", "title_zh": "旧"}
    way = {"host": "127.0.0.1", "host_key": HOST_KEY, "service_account": "watcher", "accounts": ["past0"]}
    assert (await house.ask(boss, "POST", "/operator/centres", json=plain | {"accounts": ["x"]})).status_code == 422
    assert (await house.ask(boss, "POST", "/operator/centres", json=plain | {"host": "h"})).status_code == 422
    assert (await house.ask(boss, "POST", "/operator/centres", json=plain)).status_code == 201
    shown = (await house.ask(boss, "GET", "/centres")).json()["items"]
    assert [one["is_enabled"] for one in shown if one["name"] == "past"] == [False]
    answer = await house.ask(boss, "POST", "/operator/reconciliations/past/2026-06-01:collect")
    assert (answer.status_code, "仅保存" in answer.json()["detail_zh"]) == (409, True)
    answer = await house.ask(boss, "POST", "/operator/reconciliations/past/2026-06-01")
    assert (answer.status_code, answer.json()["state"], answer.json()["records"]) == (200, "agrees", 0)
    assert (await house.ask(boss, "POST", "/operator/centres", json=plain)).status_code == 409
    assert (await house.ask(boss, "POST", "/operator/centres", json=plain | way)).status_code == 201
    shown = (await house.ask(boss, "GET", "/centres")).json()["items"]
    assert [one["is_enabled"] for one in shown if one["name"] == "past"] == [True]
    assert (await house.ask(boss, "POST", "/operator/centres", json=plain | way)).status_code == 409


async def test_the_operator_is_told_and_reads_on(house, boss, month):
    found = (await house.ask(boss, "GET", "/operator/notices")).json()["items"]
    assert [(one["kind"], one["of"], one["reference"]) for one in found] == [
        ("reconciliation", "operator", "east/2026-06-02"),
        ("reconciliation", "operator", "east/2026-06-03"),
    ]
    assert found[0]["amount"]["amount"] == "0.000130"
    rest = (await house.ask(boss, "GET", f"/operator/notices?after={found[0]['id']}")).json()["items"]
    assert rest == found[1:]


async def test_a_months_closing_names_the_days_that_do_not_agree(house, month):
    house.clock.at = FIRST + 40 * DAY
    chief = await house.operator("chief")
    before = (await house.ask(chief, "GET", "/operator/periods/2026-06")).json()
    refused = await house.ask(chief, "POST", "/operator/periods/2026-06:close")
    assert (refused.status_code, refused.json()["field"]) == (409, "anyway")
    assert "east 2026-06-02, east 2026-06-03" in refused.json()["detail"]
    assert "等共 59 天" in refused.json()["detail_zh"]
    assert not any(one["closed_at"] for one in (await house.ask(chief, "GET", "/operator/periods")).json()["items"])
    wanted = {"json": {"anyway": True}}
    closed = (await house.ask(chief, "POST", "/operator/periods/2026-06:close", **wanted)).json()
    assert before == {
        "month": "2026-06", "is_closed": False, "later_closed": None, "is_over": True, "open_before": None,
        "unrated": 0, "unreconciled": closed["unreconciled"], "is_untouched": False,
    }  # fmt: skip
    days = [(one["day"], one["state"], one["off"]["amount"]) for one in closed["unreconciled"] if one["centre"] == EAST]
    assert days[:3] == [
        ("2026-06-02", "differs", "0.000130"),
        ("2026-06-03", "unanswered", "0.000000"),
        ("2026-06-04", None, "0.000000"),
    ]
    assert len(days) == 29
    assert len([one for one in closed["unreconciled"] if one["centre"] == WEST]) == 30
