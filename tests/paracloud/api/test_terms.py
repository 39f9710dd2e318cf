"""What a centre was connected with is changed by the operator's word, which is kept; it stays the same centre."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from tests.paracloud.api.house import House, Person, Tenant, job
from tests.paracloud.api.routes import REAL_KEY
from tests.paracloud.jobs.world import EAST, HOST_KEY, WEST

PATH = f"/operator/centres/{EAST}"
WHY = {"reason": "a new login node"}


async def changed(house: House, boss: Person, **body: Any) -> dict[str, Any]:
    answer = await house.ask(boss, "PATCH", PATH, json={**WHY, **body})
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_what_is_named_changes_the_rest_stays_and_what_was_is_kept(house: House, boss: Person) -> None:
    before = (await house.ask(boss, "GET", PATH)).json()
    assert (before["host"], before["port"], before["commands_per_minute"]) == ("127.0.0.1", 22, 60)
    after = await changed(house, boss, host="login2.east.example", port=2222, host_key=REAL_KEY)
    assert after == before | {"host": "login2.east.example", "port": 2222, "host_key": REAL_KEY}
    terms = {"commands_per_minute": 30, "patience_seconds": 60, "overrun_seconds": 9, "region": ""}
    assert await changed(house, boss, **terms) == after | terms == (await house.ask(boss, "GET", PATH)).json()
    async with house.database.begin() as session:
        kept = (await session.execute(text("SELECT * FROM centre_changes ORDER BY id"))).mappings().all()
    assert [(one["centre"], one["person"], one["reason"]) for one in kept] == [(EAST, "boss", WHY["reason"])] * 2
    assert [{name: one[name] for name in ("host", "port", "host_key", *terms)} for one in kept] == [
        {name: was[name] for name in ("host", "port", "host_key", *terms)} for was in (before, after)
    ]


async def test_a_change_that_changes_nothing_is_none(house: House, boss: Person) -> None:
    assert await changed(house, boss, host="127.0.0.1", commands_per_minute=60)
    assert await house.one("SELECT count(*) FROM centre_changes") == 0


async def test_another_region_counts_for_what_is_quoted_from_then_on(house: House, lin: Tenant, boss: Person) -> None:
    wanted = job(lin, constraints={"region": "华北"})
    assert (await house.ask(lin, "POST", "/quotes", json=wanted)).json()["offers"] == []
    await changed(house, boss, region="华北")
    house.clock.forward(timedelta(seconds=3))
    offers = (await house.ask(lin, "POST", "/quotes", json=wanted)).json()["offers"]
    assert {one["centre"] for one in offers} == {EAST}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"host": "login2.east.example"}, "host_key"),
        ({"port": 23}, "host_key"),
        ({"host": "no host", "host_key": HOST_KEY}, "host"),
        ({"host": "", "host_key": HOST_KEY}, "host"),
        ({"host_key": "none"}, "host_key"),
        ({"commands_per_minute": 11}, "commands_per_minute"),
        ({"patience_seconds": 0}, "patience_seconds"),
        ({"reason": " "}, "reason"),
        ({"dialect": "pbs"}, "dialect"),
        ({"service_account": "root"}, "service_account"),
    ],
)
async def test_what_no_centre_can_have_is_refused_and_nothing_is_changed(
    house: House, boss: Person, body: dict[str, Any], field: str
) -> None:
    before = await house.contents()
    answer = await house.ask(boss, "PATCH", PATH, json={**WHY, "commands_per_minute": 13, **body})
    assert (answer.status_code, answer.json()["field"]) == (422, field)
    assert await house.contents() == before


async def test_a_machine_lends_an_account_once_also_to_a_centre_that_moves_there(house: House, boss: Person) -> None:
    south = {
        "name": "south", "title_en": "S", "title_zh": "南", "host": "login.south", "host_key": REAL_KEY,
        "service_account": "watcher", "accounts": [f"{EAST}0"],
    }  # fmt: skip
    assert (await house.ask(boss, "POST", "/operator/centres", json=south)).status_code == 201
    there = {**WHY, "host": "login.south", "host_key": HOST_KEY}
    refused = await house.ask(boss, "PATCH", PATH, json=there)
    assert (refused.status_code, "lent already, as an account of south" in refused.text) == (409, True)
    assert (await house.ask(boss, "PATCH", f"/operator/centres/{WEST}", json=there)).status_code == 200


async def test_of_a_centre_whose_history_alone_is_kept_there_is_nothing_to_change(house: House, boss: Person) -> None:
    past = {"name": "past", "title_en": "P", "title_zh": "旧"}
    assert (await house.ask(boss, "POST", "/operator/centres", json=past)).status_code == 201
    for centre, status in (("past", 409), ("nowhere", 404)):
        answer = await house.ask(boss, "PATCH", f"/operator/centres/{centre}", json={**WHY, "region": "x"})
        assert answer.status_code == status
