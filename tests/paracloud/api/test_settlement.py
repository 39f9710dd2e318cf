"""A month's settlement over the API: stated, drilled into, disputed, answered, confirmed and paid."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from tests.paracloud.api.house import House, Person, Tenant
from tests.paracloud.jobs.world import EAST, START

from paracloud.billing.charge import charge
from paracloud.dialects.records import AccountingRecord, NativePhase
from paracloud.kit.identifiers import NativeId, UnixAccount
from paracloud.metering.collect import collect

MONTH = f"{START:%Y-%m}"


@dataclass(frozen=True)
class Settling:
    """Who speaks for the centre, and the operator."""

    east: Tenant
    boss: Person


async def used(house: House, lin: Tenant) -> None:
    """A run of a customer is charged at the centre."""
    record = AccountingRecord(
        native_id=NativeId("7"), record_id=NativeId("7"), task_index=None, restart_count=0, tag=None, name="melt",
        account=UnixAccount("spare0"), queue="cpu", phase=NativePhase.COMPLETED, native_state="COMPLETED", exit_code=0,
        exit_signal=0, submitted_at=START, started_at=START, ended_at=START + timedelta(seconds=3600),
        elapsed_seconds=3600, cores=10, nodes=1, gpus=0, memory_bytes=0, node_list="n1", raw="7|",
        unsaid=frozenset({"resources"}),
    )  # fmt: skip
    async with house.database.begin() as session:
        owners = {UnixAccount("spare0"): lin.project}
        got = await collect(session, EAST, [record], owners=owners, claims={}, now=START)
        (one,) = await charge(session, got.new, pinned={}, now=START)
    assert one.amount_micro


@pytest.fixture
async def settling(house: House, lin: Tenant) -> Settling:
    """There was a run, and its month is closed."""
    await used(house, lin)
    house.clock.at += timedelta(days=62)
    person, chief = await house.tenant("dong"), await house.operator("chief")
    body = {"login": "dong", "centre": EAST}
    assert (await house.ask(chief, "PUT", "/operator/centre-people", json=body)).status_code == 204
    closing = await house.ask(chief, "POST", f"/operator/periods/{MONTH}:close", json={"anyway": True})
    assert closing.status_code == 200
    return Settling(person, chief)


MINE = f"/centres/{EAST}/settlements/{MONTH}"


async def stated(house: House, settling: Settling) -> dict[str, Any]:
    answer = (await house.ask(settling.boss, "POST", f"/operator/settlements/{MONTH}:state")).json()
    return next(one for one in answer["items"] if one["centre"] == EAST)


async def dispute(house: House, settling: Settling, **body: str) -> str:
    answer = await house.ask(settling.east, "POST", f"{MINE}:dispute", json=body)
    assert answer.status_code == 201, answer.text
    return answer.json()["id"]


async def line_of(house: House, settling: Settling) -> dict[str, Any]:
    (line,) = (await house.ask(settling.east, "GET", f"{MINE}/lines?day={START:%Y-%m-%d}")).json()["items"]
    return line


async def test_a_month_is_settled_from_statement_to_payment(house, settling):
    east, boss = settling.east, settling.boss
    one = await stated(house, settling)
    assert (one["state"], one["charges"]) == ("stated", 1)
    disputed = await dispute(house, settling, usage=(await line_of(house, settling))["usage"], reason="时间有误")
    assert (await house.ask(east, "POST", f"{MINE}:confirm")).status_code == 409
    wrong, answer = ({"answer": "更正", "adjustment": adjustment} for adjustment in ("-9999999", "0.50"))
    assert (await house.ask(boss, "POST", f"/operator/disputes/{disputed}:answer", json=wrong)).status_code == 422
    answered = await house.ask(boss, "POST", f"/operator/disputes/{disputed}:answer", json=answer)
    assert (answered.json()["state"], answered.json()["adjusted"]["amount"]) == ("stated", "0.500000")
    assert (await house.ask(east, "POST", f"{MINE}:confirm")).json()["state"] == "confirmed"
    for _ in range(2):
        paid = await house.ask(boss, "POST", f"/operator/settlements/{one['id']}:pay", json={"payment": "bank-1"})
        assert (paid.status_code, paid.json()["state"]) == (200, "paid")
    balance = await house.one("SELECT balance_micro FROM ledger_accounts WHERE code = :code", code=f"payable:{EAST}")
    assert balance == 0
    check = (await house.ask(boss, "GET", "/operator/check")).json()
    assert (check["ledger_sum_micro"], check["differences"]) == (0, [])


async def test_a_centre_looks_into_its_statement(house, settling):
    one = await stated(house, settling)
    seen = (await house.ask(settling.east, "GET", MINE)).json()
    assert (seen["settlement"]["id"], seen["days"][0]["core_hours"]) == (one["id"], "10.0000")
    (contract,) = seen["contracts"]
    assert (contract["share_basis_points"], contract["share_tiers"], contract["queue"]) == (8000, None, None)
    same = {name: seen["settlement"][name] for name in ("gross", "share", "tiers", "minimum", "fixed")}
    assert {name: contract[name] for name in same} == same
    line = await line_of(house, settling)
    assert (line["share"], line["gross"], line["core_seconds"]) == (one["share"], one["gross"], 36_000)
    assert (line["contract"], line["resources"]) == (contract["id"], {})
    assert line["gross"] == seen["days"][0]["gross"]
    assert not {"project", "user", "price"} & set(line)
    last = await house.ask(settling.east, "GET", f"{MINE}/lines?after={line['usage']}.1.0")
    assert last.json() == {"items": [], "next": None}
    for wrong in ("after=x", f"after={line['usage']}", "day=9999-12-31"):
        assert (await house.ask(settling.east, "GET", f"{MINE}/lines?{wrong}")).status_code == 422


async def test_disputes_reach_the_operator_and_are_listed_until_they_are_answered(house, settling):
    boss, one = settling.boss, await stated(house, settling)
    usage = (await line_of(house, settling))["usage"]
    of_line = await dispute(house, settling, usage=usage, reason="时间有误")
    of_all = await dispute(house, settling, reason="缺少作业 4711")
    notices = (await house.ask(boss, "GET", "/operator/notices")).json()["items"]
    told = [(each["kind"], each["reference"]) for each in notices]
    assert told == [("settlement-disputed", f"{EAST}/{MONTH}")] * 2
    assert (of_line in notices[0]["en"], "时间有误" in notices[0]["zh"], of_all in notices[1]["zh"]) == (True,) * 3
    waits = (await house.ask(boss, "GET", "/operator/settlements")).json()
    assert [(of["id"], of["state"]) for of in waits["items"]] == [(one["id"], "disputed")]
    assert [(of["id"], of["centre"], of["month"], of["settlement"], of["usage"]) for of in waits["disputes"]] == [
        (of_line, EAST, MONTH, one["id"], usage),
        (of_all, EAST, MONTH, one["id"], None),
    ]
    for of in (of_line, of_all):
        await house.ask(boss, "POST", f"/operator/disputes/{of}:answer", json={"answer": "核对无误"})
    assert (await house.ask(boss, "GET", "/operator/settlements")).json() == {"items": [], "disputes": []}
    seen = (await house.ask(settling.east, "GET", MINE)).json()["disputes"]
    assert [(of["usage"], of["answer"]) for of in seen] == [(usage, "核对无误"), (None, "核对无误")]
    await house.ask(settling.east, "POST", f"{MINE}:confirm")
    (waits,) = (await house.ask(boss, "GET", "/operator/settlements")).json()["items"]
    assert (waits["id"], waits["state"]) == (one["id"], "confirmed")
    await house.ask(boss, "POST", f"/operator/settlements/{one['id']}:pay", json={"payment": "bank-1"})
    assert (await house.ask(boss, "GET", "/operator/settlements")).json()["items"] == []
    of_month = (await house.ask(boss, "GET", f"/operator/settlements?month={MONTH}")).json()["items"]
    assert one["id"] in [each["id"] for each in of_month]


async def test_who_speaks_for_a_centre_is_listed_and_taken_away(house, settling):
    east, boss = settling.east, settling.boss
    people = "/operator/centre-people"
    for path in (people, f"{people}?centre={EAST}"):
        assert (await house.ask(boss, "GET", path)).json() == {"items": [{"centre": EAST, "login": "dong"}]}
    assert (await house.ask(boss, "GET", f"{people}?centre=west")).json() == {"items": []}
    mine = f"/centres/{EAST}/settlements"
    assert (await house.ask(east, "GET", mine)).status_code == 200
    assert (await house.ask(boss, "DELETE", f"{people}/{EAST}/dong")).status_code == 204
    assert (await house.ask(east, "GET", mine)).status_code == 404
    assert (await house.ask(boss, "GET", people)).json() == {"items": []}
    for nobody in (f"{EAST}/dong", f"{EAST}/nobody", "nowhere/dong"):
        assert (await house.ask(boss, "DELETE", f"{people}/{nobody}")).status_code == 404


async def test_nobody_but_its_own_people_answers_for_a_centre(house, settling):
    boss, one = settling.boss, await stated(house, settling)
    line = await line_of(house, settling)
    for name, body in (("confirm", None), ("dispute", {"usage": line["usage"], "reason": "x"})):
        refused = await house.ask(boss, "POST", f"{MINE}:{name}", json=body)
        assert refused.status_code == 403
        assert "Only who speaks for the centre" in refused.text
    assert (await house.ask(boss, "GET", MINE)).json()["settlement"] == one
    assert (await house.ask(settling.east, "POST", f"{MINE}:confirm")).json()["state"] == "confirmed"


async def test_a_contract_has_terms_for_a_month_a_queue_and_an_owner(house, boss, lin):
    body = {
        "centre": EAST, "queue": "fat", "is_unseen": True, "share_basis_points": 5000,
        "owner": str(lin.project), "owner_basis_points": 2000,
        "share_tiers": [{"starts_at": "0", "rate": "0.5"}, {"starts_at": "1000", "rate": "0.6"}],
        "minimum": "100", "fixed": "5.5",
    }  # fmt: skip
    assert (await house.ask(boss, "POST", "/operator/contracts", json=body)).status_code == 201
    query = "SELECT minimum_micro + fixed_micro + owner_basis_points FROM contracts WHERE queue = 'fat'"
    assert await house.one(query) == 105_500_000 + 2000
    since = {"valid_from": "2026-08-01T00:00:00Z", "valid_to": "2026-07-01T00:00:00Z"}
    dear = {"share_tiers": [{"starts_at": "0", "rate": "0.81"}]}
    for wrong in (
        {"minimum": "-1"},
        {"share_tiers": [{"starts_at": "0", "rate": "1.2"}]},
        {"owner": None},
        since,
        dear,
    ):
        answer = await house.ask(boss, "POST", "/operator/contracts", json=body | {"queue": "other"} | wrong)
        assert answer.status_code == 422, answer.text
    house.clock.at += timedelta(days=1)
    ended = await house.ask(boss, "POST", f"/operator/contracts/{EAST}:end?queue=fat", json={})
    assert ended.status_code == 200, ended.text
