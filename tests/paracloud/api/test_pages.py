"""Pages of jobs that stay whole while jobs are added, and money that is never a float."""

import asyncio
import re
from uuid import uuid4

from tests.paracloud.api.house import House, Person, Tenant, job

AMOUNT = re.compile(r"-?[0-9]+\.[0-9]{6}")


async def walk(house: House, who: Person, *, limit: int, between=None) -> list[list[str]]:
    """All pages, as ids; `between` happens after each."""
    pages, cursor = [], {}
    while True:
        page = (await house.ask(who, "GET", "/jobs", params={"limit": limit, **cursor})).json()
        pages.append([one["id"] for one in page["items"]])
        if page["next"] is None:
            return pages
        cursor = {"cursor": page["next"]}
        if between is not None:
            await between()


async def test_pages_hold_each_job_once_newest_first_while_jobs_are_added(house: House, lin: Tenant) -> None:
    jobs = [await house.submit(lin) for _ in range(7)]
    added = []

    async def add() -> None:
        added.append(await house.submit(lin))

    pages = await walk(house, lin, limit=3, between=add)
    assert [one for page in pages for one in page] == jobs[::-1]
    assert [len(page) for page in pages] == [3, 3, 1]
    assert [one for page in await walk(house, lin, limit=200) for one in page] == [*jobs, *added][::-1]


async def test_pages_are_whole_while_many_submit_at_once(house: House, lin: Tenant) -> None:
    before = [await house.submit(lin) for _ in range(6)]

    async def add() -> None:
        await asyncio.gather(*(house.submit(lin) for _ in range(3)))

    pages = await walk(house, lin, limit=2, between=add)
    assert [one for page in pages for one in page] == before[::-1]


async def test_a_last_page_that_is_full_is_followed_by_an_empty_one(house: House, lin: Tenant) -> None:
    jobs = [await house.submit(lin) for _ in range(4)]
    assert await walk(house, lin, limit=2) == [jobs[:1:-1], jobs[1::-1], []]


async def test_a_cursor_that_is_no_job_is_only_a_place(house: House, lin: Tenant) -> None:
    mine = await house.submit(lin)
    late, early = "ffffffff-ffff-7fff-bfff-ffffffffffff", "00000000-0000-7000-8000-000000000000"
    pages = [(await house.ask(lin, "GET", "/jobs", params={"cursor": one})).json() for one in (late, early)]
    assert [[one["id"] for one in page["items"]] for page in pages] == [[mine], []]


async def test_states_and_project_narrow_the_list(house: House, lin: Tenant) -> None:
    cancelled, waiting = [await house.submit(lin) for _ in range(2)]
    assert (await house.ask(lin, "POST", f"/jobs/{cancelled}:cancel")).json()["state"] == "cancelled"
    for state, expected in (("cancelled", [cancelled]), ("accepted", [waiting]), ("running", [])):
        asked = {"state": state, "project": str(lin.project)}
        page = (await house.ask(lin, "GET", "/jobs", params=asked)).json()
        assert [one["id"] for one in page["items"]] == expected


def moneys(value, at: str = "") -> list[tuple[str, object]]:
    """Everything in an answer that is money, with its place, and every float."""
    if isinstance(value, dict):
        own = [(at, value["amount"])] if set(value) == {"amount", "currency"} else []
        return own + [one for key, item in value.items() if not own for one in moneys(item, f"{at}.{key}")]
    if isinstance(value, list):
        return [one for item in value for one in moneys(item, f"{at}[]")]
    return [(at, value)] if isinstance(value, float) else []


async def test_money_is_a_decimal_string_of_six_places_everywhere(house: House, lin: Tenant) -> None:
    id_ = await house.submit(lin)
    asked = [
        await house.ask(lin, "POST", "/quotes", json=job(lin)),
        await house.ask(lin, "POST", "/jobs", json=job(lin)),
        *[
            await house.ask(lin, "GET", path)
            for path in (
                "/jobs", f"/jobs/{id_}", f"/projects/{lin.project}/balance", f"/projects/{lin.project}/statement",
            )
        ],
    ]  # fmt: skip
    for answer in asked:
        found = moneys(answer.json())
        assert found
        assert [one for one in found if not (isinstance(one[1], str) and AMOUNT.fullmatch(one[1]))] == []
    prices = [(one["core_hour"], one["card_hour"]) for one in (await house.ask(lin, "GET", "/queues")).json()["items"]]
    assert set(prices) == {("0.360000000", "3.000000000")}


async def test_what_is_held_and_what_is_left_add_up_to_the_micro(house: House, lin: Tenant, boss: Person) -> None:
    top_up = {"project": str(lin.project), "amount": "0.000001", "key": str(uuid4())}
    await house.ask(boss, "POST", "/operator/top-ups", json=top_up)
    await house.submit(lin)
    balance = (await house.ask(lin, "GET", f"/projects/{lin.project}/balance")).json()
    assert [balance[name]["amount"] for name in ("available", "held")] == ["999.640001", "0.360000"]
    statement = (await house.ask(lin, "GET", f"/projects/{lin.project}/statement")).json()
    assert statement["closing"]["amount"] == statement["lines"][-1]["balance"]["amount"]
