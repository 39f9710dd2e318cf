"""What operator and customer see of ways to pay, over the API."""

from datetime import timedelta

import pytest
from tests.paracloud.api.house import House, Person, Tenant, job
from tests.paracloud.jobs.world import EAST

from paracloud.identity.caller import Role

UNTIL = "2100-01-01T00:00:00Z"


@pytest.fixture
async def boss(house: House) -> Person:
    return await house.operator("chief")


async def sell(house: House, boss: Person, of: Tenant, key: str | None = None, **changes):
    body = {"project": str(of.project), "name": "百核时", "amount": "100", "price": "10", "expires_at": UNTIL} | changes
    headers = {"Idempotency-Key": key} if key else {}
    return await house.ask(boss, "POST", "/operator/packages", json=body, headers=headers)


async def paying(house: House, who: Person, of: Tenant) -> dict:
    answer = await house.ask(who, "GET", f"/projects/{of.project}/paying")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def available(house: House, of: Tenant) -> str:
    return (await house.ask(of, "GET", f"/projects/{of.project}/balance")).json()["available"]["amount"]


async def test_a_package_is_sold_once_for_one_key_and_shown_to_its_project(house, boss, wang):
    first, again = [await sell(house, boss, wang, "k-1") for _ in range(2)]
    assert (first.status_code, first.json()) == (201, again.json())
    (one,) = (await paying(house, wang, wang))["packages"]
    assert (one["kind"], one["total"], one["left"], one["price"]["amount"]) == (
        "core-hours", "100.0000", "100.0000", "10.000000",
    )  # fmt: skip
    assert await available(house, wang) == "990.000000"
    other = await sell(house, boss, wang, "k-1", amount="5")
    assert other.status_code == 409


async def test_a_credit_is_counted_in_yuan_and_costs_nothing(house, boss, wang):
    assert (await sell(house, boss, wang, kind="credit", amount="12.5", price="0")).status_code == 201
    assert (await paying(house, wang, wang))["packages"][0]["left"] == "12.500000"
    assert await available(house, wang) == "1000.000000"


@pytest.mark.parametrize(
    ("wrong", "status", "field"),
    [
        ({"amount": "0.00001"}, 422, "amount"),
        ({"amount": "NaN"}, 422, "amount"),
        ({"amount": "-1"}, 422, "amount"),
        ({"amount": "1000000000000"}, 422, "amount"),
        ({"kind": "credit", "amount": "1000000001", "price": "0"}, 422, "amount"),
        ({"price": "-1"}, 422, "price"),
        ({"price": "2000"}, 402, None),
        ({"expires_at": "2001-01-01T00:00:00Z"}, 422, "expires_at"),
        ({"project": "00000000-0000-7000-8000-000000000000"}, 404, "project"),
        ({"kind": "gold"}, 422, "body.kind"),
    ],
)
async def test_a_package_that_cannot_be_sold_is_refused_whole(house, boss, wang, wrong, status, field):
    before = await house.contents()
    answer = await sell(house, boss, wang, **wrong)
    assert answer.status_code == status, answer.text
    assert answer.json().get("field") in (field, (field or "").removeprefix("body."))
    assert answer.json()["detail_zh"]
    assert await house.contents() == before


async def dedicate(house: House, boss: Person, of: Tenant, monthly: str = "30"):
    body = {"project": str(of.project), "centre": EAST, "queue": "cpu", "nodes": 4, "monthly": monthly}
    return await house.ask(boss, "POST", "/operator/dedications", json=body | {"share_basis_points": 6000})


async def test_dedicated_nodes_are_paid_when_they_begin_or_there_are_none(house, boss, wang):
    before = await house.contents()
    house.clock.forward(timedelta(days=14, hours=16))  # half of June is over
    refused = await dedicate(house, boss, wang, "6000")
    assert refused.status_code == 402
    for said in (refused.json()["detail"], refused.json()["detail_zh"]):
        assert [one in said for one in ("3000.000000", "1000.000000", "2000.000000", "6000.000000")] == [True] * 4
    assert refused.json()["extra"] == {"missing_micro": 2_000_000_000, "currency": "CNY"}
    assert await house.contents() == before
    made = await dedicate(house, boss, wang)
    assert made.status_code == 201
    assert await available(house, wang) == "985.000000"
    (one,) = (await paying(house, wang, wang))["dedicated"]
    assert (one["nodes"], one["monthly"]["amount"]) == (4, "30.000000")


async def test_the_credit_line_lets_a_wallet_go_below_nothing(house, boss, wang):
    where = f"/operator/projects/{wang.project}/funding"
    body = {"line": "500", "hold_seconds": 3600, "warnings": ["20", "100"], "signal": "TERM", "grace_seconds": 60}
    answer = await house.ask(boss, "PATCH", where, json=body)
    assert answer.status_code == 200, answer.text
    shown = (await paying(house, wang, wang))["funding"]
    assert shown["line"]["amount"] == "500.000000"
    assert [one["amount"] for one in shown["warnings"]] == ["100.000000", "20.000000"]
    assert (await sell(house, boss, wang, price="1400")).status_code == 201
    assert await available(house, wang) == "-400.000000"
    shown = (await house.ask(wang, "GET", f"/projects/{wang.project}/balance")).json()
    assert shown["spendable"] == {"amount": "100.000000", "currency": "CNY"}


async def test_of_funding_only_what_is_given_changes(house, boss, wang):
    where = f"/operator/projects/{wang.project}/funding"
    agreed = {"line": "500", "hold_seconds": 3600, "warnings": ["100"], "signal": "TERM", "grace_seconds": 60}
    first = (await house.ask(boss, "PATCH", where, json=agreed)).json()
    assert first["before"] | {"line": None} == {
        "line": None, "hold_seconds": None, "warnings": [], "signal": "USR1", "grace_seconds": 600,
    }  # fmt: skip
    for name, other in (
        ("line", "1"),
        ("hold_seconds", None),
        ("warnings", []),
        ("signal", "INT"),
        ("grace_seconds", 5),
    ):
        found = (await house.ask(boss, "PATCH", where, json={name: other})).json()
        assert {one for one in agreed if found["before"][one] != found["after"][one]} == {name}
        assert (await house.ask(boss, "PATCH", where, json={name: agreed[name]})).json()["after"] == first["after"]
    for wrong, field in (({"warnings": ["-5"]}, "warnings"), ({"line": "-1"}, "line")):
        refused = await house.ask(boss, "PATCH", where, json=wrong)
        assert (refused.status_code, refused.json()["field"]) == (422, field)
    assert (await paying(house, wang, wang))["funding"] == first["after"]


async def test_a_budget_names_what_is_wrong_with_it(house, boss, wang, lin):
    right = {"project": str(wang.project), "amount": "10"}
    for wrong, field in (
        ({"amount": "-1"}, "amount"),
        ({"valid_to": "2001-01-01T00:00:00Z"}, "valid_to"),
        ({"login": "lin"}, "login"),
    ):
        refused = await house.ask(boss, "POST", "/operator/budgets", json=right | wrong)
        assert (refused.status_code, refused.json()["field"]) == (422, field), refused.text
    assert (await paying(house, wang, wang))["budgets"] == []


async def test_a_user_sees_the_own_budget_and_the_projects_and_its_owner_all(house, boss, wang):
    colleague = await house.colleague(wang, "song")
    owner = await house.colleague(wang, "head", Role.OWNER)
    project = str(wang.project)
    for body in ({"project": project, "amount": "100"}, {"project": project, "login": "song", "amount": "10"},
                 {"organisation": str(wang.organisation), "amount": "1000", "is_hard": False}):  # fmt: skip
        answer = await house.ask(boss, "POST", "/operator/budgets", json=body)
        assert answer.status_code == 201, answer.text
    seen = {who.login: (await paying(house, who, wang))["budgets"] for who in (colleague, owner, wang)}
    assert {login: sorted(one["of"] for one in budgets) for login, budgets in seen.items()} == {
        "song": ["organisation", "project", "user"],
        "head": ["organisation", "project", "user"],
        "wang": ["organisation", "project"],
    }
    assert {one["of"]: one["spent"] and one["spent"]["amount"] for one in seen["head"]} == {
        "organisation": None, "project": "0.000000", "user": "0.000000",
    }  # fmt: skip


async def test_a_job_that_the_organisations_budget_refuses_tells_nothing_of_what_is_left(house, boss, wang):
    body = {"organisation": str(wang.organisation), "amount": "0.000071"}
    assert (await house.ask(boss, "POST", "/operator/budgets", json=body)).status_code == 201
    refused = await house.ask(wang, "POST", "/jobs", json=job(wang))
    assert (refused.status_code, refused.json()["code"]) == (402, "not_enough_funds")
    assert "extra" not in refused.json()
    assert "0.000071" not in refused.text


async def test_a_month_is_closed_once_and_listed(house, boss, wang):
    path, anyway = "/operator/periods/2020-01:close", {"json": {"anyway": True}}
    refused = await house.ask(boss, "POST", path)
    assert (refused.status_code, "is it the month that you mean" in refused.json()["detail"]) == (409, True)
    assert (await house.ask(boss, "GET", "/operator/periods")).json()["items"] == []
    closed = [await house.ask(boss, "POST", path, **more) for more in (anyway, {})]
    assert [one.json()["is_new"] for one in closed] == [True, False]
    (one,) = (await house.ask(boss, "GET", "/operator/periods")).json()["items"]
    assert (one["month"], one["closed_by"], one["unrated"]) == ("2020-01", "chief", 0)
    for wrong in ("2020-13", "2099-01", "x", "9999-12", "1999-12", "0001-01"):
        assert (await house.ask(boss, "POST", f"/operator/periods/{wrong}:close")).status_code == 422


async def test_a_price_has_its_quality_of_service_customer_and_tiers(house, boss, wang):
    body = {
        "centre": EAST, "queue": "cpu", "core_hour": "0.08", "qos": "high", "project": str(wang.project),
        "tiers": [{"starts_at": "0", "rate": "1"}, {"starts_at": "10000", "rate": "0.8"}], "product_line": "industry",
    }  # fmt: skip
    made = await house.ask(boss, "POST", "/operator/prices", json=body)
    assert made.status_code == 201, made.text
    found = (await house.ask(boss, "GET", "/operator/prices")).json()["items"]
    one = next(one for one in found if one["id"] == made.json()["id"])
    assert {name: one[name] for name in ("qos", "project", "tiers", "product_line")} == {
        name: body[name] for name in ("qos", "project", "tiers", "product_line")
    }
    wrong = body | {"tiers": [{"starts_at": "5", "rate": "1"}]}
    assert (await house.ask(boss, "POST", "/operator/prices", json=wrong)).json()["field"] == "tiers[0].starts_at"
