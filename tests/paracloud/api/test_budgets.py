"""Who sets and ends which budget, and what is kept of it."""

from datetime import timedelta

import pytest
from tests.paracloud.api.house import House, Person, Tenant, job

from paracloud.identity.caller import Role


@pytest.fixture
async def boss(house: House) -> Person:
    return await house.operator("chief")


@pytest.fixture
async def head(house: House, wang: Tenant) -> Person:
    return await house.colleague(wang, "head", Role.OWNER)


def where(of: Tenant) -> str:
    return f"/projects/{of.project}/budgets"


async def users(house: House, who: Person, of: Tenant, login: str, amount: str = "0.10", **more):
    return await house.ask(who, "POST", where(of), json={"login": login, "amount": amount} | more)


async def listed(house: House, who: Person, of: Tenant) -> list[dict]:
    answer = await house.ask(who, "GET", where(of))
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_an_owner_sets_and_ends_what_a_user_may_spend(house, wang, head):
    made = await users(house, head, wang, "wang")
    assert made.status_code == 201, made.text
    refused = await house.ask(wang, "POST", "/jobs", json=job(wang))
    assert (refused.status_code, "user's budget" in refused.json()["detail"]) == (402, True)
    ((mine,), (heads,)) = [await listed(house, who, wang) for who in (wang, head)]
    assert mine == heads
    assert {name: mine[name] for name in ("of", "login", "payer", "is_owners", "created_by", "ended_by")} == {
        "of": "user", "login": "wang", "payer": "熔体", "is_owners": True, "created_by": "head", "ended_by": None,
    }  # fmt: skip
    assert mine["created_at"] == mine["valid_from"]
    house.clock.forward(timedelta(seconds=1))
    end = f"{where(wang)}/{made.json()['id']}:end"
    assert (await house.ask(wang, "POST", end)).status_code == 403
    assert (await house.ask(head, "POST", end)).status_code == 200
    assert await listed(house, head, wang) == []
    await house.submit(wang)


async def test_what_the_operator_has_set_is_out_of_an_owners_reach(house, boss, wang, head):
    for whose in ({}, {"login": "wang"}):
        body = {"project": str(wang.project), "amount": "5"} | whose
        assert (await house.ask(boss, "POST", "/operator/budgets", json=body)).status_code == 201
    house.clock.forward(timedelta(seconds=1))
    for one in await listed(house, head, wang):
        assert (one["is_owners"], one["created_by"]) == (False, "chief")
        assert (await house.ask(head, "POST", f"{where(wang)}/{one['id']}:end")).status_code == 404
    assert len(await listed(house, head, wang)) == 2
    assert (await users(house, head, wang, "wang", "1000")).status_code == 201
    refused = await house.ask(wang, "POST", "/jobs", json=job(wang, options={"time": "1000"}))
    assert refused.status_code == 402


async def test_an_owner_has_no_word_on_another_projects_users_nor_learns_who_there_is(house, wang, lin, head):
    stranger = await house.colleague(lin, "other", Role.OWNER)
    made = (await users(house, head, wang, "wang")).json()["id"]
    house.clock.forward(timedelta(seconds=1))
    for end in (f"{where(wang)}/{made}:end", f"{where(lin)}/{made}:end"):
        assert (await house.ask(stranger, "POST", end)).status_code == 404
    assert (await users(house, stranger, wang, "wang")).status_code == 404
    bodies = [(await users(house, head, wang, login)).json() for login in ("lin", "nobody")]
    assert [(one["status"], one["field"]) for one in bodies] == [(422, "login")] * 2
    assert bodies[0] | {"request_id": None} == bodies[1] | {"request_id": None}
    assert (await house.ask(head, "POST", where(wang), json={"amount": "1"})).status_code == 422


async def test_the_operator_lists_whose_each_is_who_agreed_it_and_who_ended_it(house, boss, wang, head):
    made = (await users(house, head, wang, "wang", "9")).json()["id"]
    body = {"organisation": str(wang.organisation), "amount": "1000"}
    whole = (await house.ask(boss, "POST", "/operator/budgets", json=body)).json()["id"]
    house.clock.forward(timedelta(seconds=1))
    assert (await house.ask(boss, "POST", f"/operator/budgets/{made}:end")).status_code == 200
    found = (await house.ask(boss, "GET", "/operator/budgets")).json()["items"]
    assert [(one["id"], one["payer"], one["spent"]["amount"]) for one in found] == [(whole, "大学 wang", "0.000000")]
    found = (await house.ask(boss, "GET", "/operator/budgets", params={"with_past": True})).json()["items"]
    assert [(one["id"], one["login"], one["created_by"], one["ended_by"]) for one in found] == [
        (made, "wang", "head", "chief"), (whole, None, "chief", None),
    ]  # fmt: skip


async def test_dedicated_nodes_say_who_agreed_and_who_ended_them(house, boss, wang):
    body = {"project": str(wang.project), "centre": "east", "queue": "cpu", "nodes": 4, "monthly": "1"}
    answer = await house.ask(boss, "POST", "/operator/dedications", json=body | {"share_basis_points": 1})
    made = answer.json()["id"]
    other = await house.operator("deputy")
    house.clock.forward(timedelta(seconds=1))
    assert (await house.ask(other, "POST", f"/operator/dedications/{made}:end", json={})).status_code == 200
    assert (await house.ask(boss, "GET", "/operator/dedications")).json()["items"] == []
    (one,) = (await house.ask(boss, "GET", "/operator/dedications", params={"with_past": True})).json()["items"]
    assert (one["id"], one["project"], one["created_by"], one["ended_by"]) == (
        made, str(wang.project), "chief", "deputy",
    )  # fmt: skip
    assert one["created_at"] == one["valid_from"]
