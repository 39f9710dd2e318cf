"""What a project is told of its money, over the API."""

import pytest
from tests.paracloud.api.house import House, Person, Tenant

from paracloud.billing.tell_budget_levels import tell_budget_levels
from paracloud.billing.tell_wallet_levels import tell_wallet_levels
from paracloud.identity.caller import Role


@pytest.fixture
async def boss(house: House) -> Person:
    return await house.operator("chief")


async def looked(house: House) -> None:
    async with house.database.begin() as session:
        await tell_wallet_levels(session, now=house.clock.now())
        await tell_budget_levels(session, now=house.clock.now())


async def agreed(house: House, boss: Person, method: str, path: str, **body) -> None:
    answer = await house.ask(boss, method, f"/operator/{path}", json=body)
    assert answer.is_success, answer.text


async def notices(house: House, who: Person, of: Tenant, **query) -> list[dict]:
    answer = await house.ask(who, "GET", f"/projects/{of.project}/notices", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


async def test_a_level_is_read_once_by_whoever_keeps_the_last_number(house, boss, wang):
    await agreed(house, boss, "PATCH", f"projects/{wang.project}/funding", warnings=["1000", "500"])
    await looked(house)
    (told,) = await notices(house, wang, wang)
    assert (told["kind"], told["of"], told["amount"]["amount"]) == ("wallet-level", "project", "1000.000000")
    assert told["level"]["amount"] == "1000.000000"
    assert await notices(house, wang, wang, after=told["id"]) == []


async def test_an_organisations_budget_is_told_without_the_sum_that_others_spend(house, boss, wang):
    whose = {"organisation": str(wang.organisation)}
    await agreed(house, boss, "POST", "budgets", amount="0.50", is_hard=False, warn_percent=[50], **whose)
    await house.submit(wang)
    await looked(house)
    (told,) = await notices(house, wang, wang)
    assert (told["kind"], told["of"], told["amount"]) == ("budget-level", "organisation", None)
    assert "0.360000" not in told["en"] + told["zh"]


async def test_a_colleagues_budget_is_told_to_the_colleague_and_the_owner_alone(house, boss, wang):
    zhao = await house.colleague(wang, "zhao")
    chen = await house.colleague(wang, "chen", Role.OWNER)
    await agreed(house, boss, "POST", "budgets", project=str(wang.project), login="zhao", amount="0.10", is_hard=False)
    body = {"project": str(wang.project), "script": "#!/bin/sh\ntrue\n", "options": {"time": "60"}}
    assert (await house.ask(zhao, "POST", "/jobs", json=body)).status_code == 201
    await looked(house)
    assert [len(await notices(house, who, wang)) for who in (zhao, chen, wang)] == [2, 2, 0]


@pytest.mark.parametrize("wrong", [{"after": "-1"}, {"after": str(1 << 63)}, {"limit": "0"}, {"limit": "201"}])
async def test_a_page_that_cannot_be_is_refused(house, wang, wrong):
    answer = await house.ask(wang, "GET", f"/projects/{wang.project}/notices", params=wrong)
    assert answer.status_code == 422
