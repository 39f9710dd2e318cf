"""What a queue costs is what it costs whoever asks."""

from datetime import timedelta
from typing import Any

from tests.paracloud.api.house import House, Person, Tenant
from tests.paracloud.jobs.world import EAST, START

from paracloud.identity.add_member import add_member
from paracloud.identity.caller import Role

SINCE = (START - timedelta(hours=1)).isoformat()
EVERYBODYS = ("0.360000000", "CNY", False)


async def priced(house: House, boss: Person, core_hour: str, **own: str) -> None:
    body = {"centre": EAST, "queue": "cpu", "core_hour": core_hour, "valid_from": SINCE, **own}
    answer = await house.ask(boss, "POST", "/operator/prices", json=body)
    assert answer.status_code == 201, answer.text


async def cost(house: House, who: Person, **query: Any) -> tuple[str | None, str | None, bool]:
    answer = await house.ask(who, "GET", "/queues", params=query)
    (one,) = [one for one in answer.json()["items"] if (one["centre"], one["name"]) == (EAST, "cpu")]
    return one["core_hour"], one["currency"], one["differs"]


async def test_a_customers_own_price_is_shown_to_that_customer(
    house: House, lin: Tenant, wang: Tenant, boss: Person
) -> None:
    await priced(house, boss, "0.10", project=str(lin.project))
    assert await cost(house, lin) == await cost(house, lin, project=lin.project) == ("0.100000000", "CNY", False)
    assert await cost(house, wang) == await cost(house, boss) == EVERYBODYS


async def test_where_ones_projects_have_different_prices_none_is_shown_until_one_is_named(
    house: House, lin: Tenant, wang: Tenant, boss: Person
) -> None:
    async with house.database.begin() as session:
        await add_member(session, "lin", wang.project, Role.MEMBER)
    assert await cost(house, lin) == EVERYBODYS
    await priced(house, boss, "0.10", organisation=str(wang.organisation))
    assert await cost(house, lin) == (None, None, True)
    assert await cost(house, lin, project=lin.project) == EVERYBODYS
    assert await cost(house, lin, project=wang.project) == ("0.100000000", "CNY", False)


async def test_a_product_lines_own_price_is_shown_to_its_projects(
    house: House, lin: Tenant, wang: Tenant, boss: Person
) -> None:
    await priced(house, boss, "0.20", product_line="ai")
    await house.ask(boss, "PUT", f"/operator/projects/{wang.project}/product-line", json={"product_line": "ai"})
    assert await cost(house, lin) == EVERYBODYS
    assert await cost(house, wang) == ("0.200000000", "CNY", False)
