"""What a quote says: the price, the most that a job can cost, what is expected of it, and why other places are out."""

from datetime import timedelta
from typing import Any

import pytest
from tests.paracloud.api.house import House, Person, Tenant, job
from tests.paracloud.jobs.world import EAST, START, WEST, connect, queue

from paracloud.kit.identifiers import CentreName

MANY = 60


async def quoted(house: House, who: Tenant, **changes: Any) -> dict[str, Any]:
    answer = await house.ask(who, "POST", "/quotes", json=job(who, **changes))
    assert answer.status_code == 200, answer.text
    return answer.json()


async def provided(house: House, boss: Person, centre: str, **said: Any) -> dict[str, Any]:
    answer = await house.ask(boss, "PATCH", f"/operator/centres/{centre}/provision", json=said)
    assert answer.status_code == 200, answer.text
    house.clock.forward(timedelta(seconds=3))  # a reading of the market is good for two
    return answer.json()


async def test_a_quote_says_the_price_the_most_and_what_is_expected_and_the_job_keeps_it(
    house: House, lin: Tenant
) -> None:
    offer = (await quoted(house, lin, options={"time": "60", "ntasks": "4"}))["offers"][0]
    hope, money = offer["expected"], "CNY"
    assert (offer["core_hour"], offer["card_hour"], offer["rule"]) == ("0.360000000", "3.000000000", None)
    assert offer["most"] == offer["from_wallet"] == {"amount": "1.440000", "currency": money}
    assert 0 < hope["wait_p50_seconds"] <= hope["wait_p90_seconds"]
    assert 0 < hope["run_p50_seconds"] <= hope["run_p90_seconds"] <= 3600
    for part in ("p50", "p90"):
        micro = 4 * hope[f"run_{part}_seconds"] * 100  # 0.36 an hour of a core is 100 micro-yuan a second
        assert hope[f"cost_{part}"] == {"amount": f"{micro / 1e6:.6f}", "currency": money}
        seconds = hope[f"wait_{part}_seconds"] + hope[f"run_{part}_seconds"]
        assert hope[f"finish_{part}"] == (START + timedelta(seconds=seconds)).isoformat().replace("+00:00", "Z")
    assert hope["model"]

    at = await house.submit(lin, options={"time": "60", "ntasks": "4"})
    shown = (await house.ask(lin, "GET", f"/jobs/{at}")).json()
    kept = shown["forecast"]
    assert (kept["centre"], kept["queue"]) == (offer["centre"], offer["queue"])
    assert {name: kept[name] for name in ("finish_p50", "finish_p90", "cost_p50", "cost_p90", "model")} == {
        name: hope[name] for name in ("finish_p50", "finish_p90", "cost_p50", "cost_p90", "model")
    }
    assert kept["start_p90"] == (START + timedelta(seconds=hope["wait_p90_seconds"])).isoformat().replace("+00:00", "Z")
    assert f"expected {hope['cost_p50']['amount']} (P90 {hope['cost_p90']['amount']})" in shown["why_en"]


async def test_where_a_package_pays_the_most_is_what_its_hours_cost(house: House, lin: Tenant, boss: Person) -> None:
    """An hour of it cost 5; the price here is 0.36."""
    package = {"project": str(lin.project), "name": "包", "amount": "10", "price": "50", "centre": EAST}
    sold = await house.ask(boss, "POST", "/operator/packages", json=package | {"expires_at": "2100-01-01T00:00:00Z"})
    assert sold.status_code == 201, sold.text
    found = await quoted(house, lin, options={"time": "60"}, centre=EAST)
    most = {(one["centre"], one["most"]["amount"], one["from_wallet"]["amount"]) for one in found["offers"]}
    assert most == {(EAST, "5.000000", "0.000000")}
    words = "at most 5.000000 CNY, of which packages and credits pay all but 0.000000"
    assert words in found["why_en"]
    accepted = await house.ask(lin, "POST", "/jobs", json=job(lin, options={"time": "60"}, centre=EAST))
    assert words in accepted.json()["why_en"]


async def test_what_the_operator_says_of_a_centre_decides_who_is_sent_there(
    house: House, lin: Tenant, boss: Person
) -> None:
    wanted = {"constraints": {"applications": ["lammps"], "least_trust": 2}}
    before = await quoted(house, lin, **wanted)
    assert before["offers"] == []
    assert {"not known to have lammps" in one["en"] for one in before["rejected"]} == {True}
    said = await provided(house, boss, WEST, applications=["lammps"], trust=2)
    assert said == {"centre": WEST, "applications": ["lammps"], "licences": None, "trust": 2, "bytes_per_second": None}
    assert {one["centre"] for one in (await quoted(house, lin, **wanted))["offers"]} == {WEST}
    assert (await house.ask(lin, "GET", f"/jobs/{await house.submit(lin, **wanted)}")).json()["job"]["centre"] == WEST
    kept = await provided(house, boss, WEST, trust=1)
    assert kept["applications"] == ["lammps"]
    assert any("trust level of at least 2" in one["en"] for one in (await quoted(house, lin, **wanted))["rejected"])
    shown = {one["name"]: one for one in (await house.ask(lin, "GET", "/centres")).json()["items"]}
    assert (shown[WEST]["applications"], shown[WEST]["trust"], shown[EAST]["trust"]) == (["lammps"], 1, 0)


async def test_a_drained_centre_takes_no_new_job_and_says_so_until_it_is_resumed(
    house: House, lin: Tenant, boss: Person
) -> None:
    stays = await house.submit(lin, centre=EAST)
    done = await house.ask(boss, "POST", f"/operator/centres/{EAST}:drain")
    assert (done.status_code, done.json()) == (200, {"centre": EAST, "is_drained": True})
    house.clock.forward(timedelta(seconds=3))
    found = await quoted(house, lin)
    assert EAST not in {one["centre"] for one in found["offers"]}
    assert {one["en"] for one in found["rejected"] if one["centre"] == EAST} == {
        "it takes no new jobs now, by its operator's word"
    }
    assert (await house.ask(lin, "GET", f"/jobs/{stays}")).json()["job"]["centre"] == EAST
    await house.ask(boss, "POST", f"/operator/centres/{EAST}:resume")
    house.clock.forward(timedelta(seconds=3))
    assert EAST in {one["centre"] for one in (await quoted(house, lin))["offers"]}
    assert (await house.ask(boss, "POST", "/operator/centres/nowhere:drain")).status_code == 404


async def test_a_licence_is_asked_for_by_the_script_and_known_by_the_operators_word(
    house: House, lin: Tenant, boss: Person
) -> None:
    await provided(house, boss, EAST, licences=["abaqus"])
    found = await quoted(house, lin, options={"time": "60", "licenses": "matlab:2"}, centre=EAST)
    assert "no licence matlab; it has abaqus" in found["rejected"][0]["en"]


async def test_the_data_of_a_project_stays_where_it_may_be(
    house: House, lin: Tenant, wang: Tenant, boss: Person
) -> None:
    path = f"/operator/projects/{lin.project}/residency"
    assert (await house.ask(boss, "PUT", path, json={"regions": ["华北"]})).json()["regions"] == ["华北"]
    house.clock.forward(timedelta(seconds=3))
    refused = await house.ask(lin, "POST", "/jobs", json=job(lin))
    assert (refused.status_code, "may be in 华北 only" in refused.text) == (422, True)
    assert (await quoted(house, wang))["offers"]
    await house.ask(boss, "PUT", path, json={"regions": None})
    house.clock.forward(timedelta(seconds=3))
    assert (await quoted(house, lin))["offers"]
    assert (await quoted(house, lin, constraints={"residency": ["华北"]}))["offers"] == []


async def test_files_take_their_time_to_a_centre_of_a_known_speed(house: House, lin: Tenant, boss: Person) -> None:
    await provided(house, boss, EAST, bytes_per_second=1000)
    inputs = [{"path": "in", "sha256": "a" * 64, "size_bytes": 60_001}]
    found = {one["centre"]: one for one in (await quoted(house, lin, inputs=inputs))["offers"]}
    assert (found[EAST]["moving_seconds"], found[WEST]["moving_seconds"]) == (61, 0)


@pytest.mark.parametrize("speed", [1, 50_000_000])
async def test_files_of_any_size_have_an_answer_at_any_speed(house: House, lin: Tenant, boss: Person, speed) -> None:
    await provided(house, boss, EAST, bytes_per_second=speed)
    whole = {"path": "in", "sha256": "a" * 64, "size_bytes": 1 << 50}
    found = {one["centre"]: one for one in (await quoted(house, lin, inputs=[whole]))["offers"]}
    assert found[EAST]["moving_seconds"] == min(-(-(1 << 50) // speed), 10 * 366 * 86_400)
    for path, count in (("/quotes", 2), ("/jobs", 10_000)):
        inputs = [{**whole, "path": f"in{number}"} for number in range(count)]
        refused = await house.ask(lin, "POST", path, json=job(lin, inputs=inputs))
        assert (refused.status_code, refused.json()["field"], "1 PiB" in refused.text) == (413, "inputs", True)


async def test_more_cores_of_each_node_than_any_has_are_refused_by_name(house: House, lin: Tenant) -> None:
    options = {"time": "60", "mincpus": "999999"}
    found = await quoted(house, lin, options=options)
    assert found["offers"] == []
    assert "999999 cores on one node are more than a node's" in found["rejected"][0]["en"]
    refused = await house.ask(lin, "POST", "/jobs", json=job(lin, options=options))
    assert (refused.status_code, "999999 cores on one node" in refused.text) == (422, True)


@pytest.fixture
async def many(house: House) -> int:
    """A third centre of many queues, every third of which is too narrow for two cores on a node."""
    queues = [queue(f"q {number:03}", cores_per_node=1 if number % 3 == 0 else 4) for number in range(MANY)]
    async with house.database.begin() as session:
        await connect(session, CentreName("north"), queues=queues)
    house.clock.forward(timedelta(seconds=3))
    return MANY + 4  # two queues of either other centre


def places(found: dict[str, Any]) -> list[str]:
    return [f"{one['centre']}/{one['queue']}" for one in (*found["offers"], *found["rejected"])]


@pytest.mark.parametrize("limit", [1, 7, 47, 200])
async def test_the_pages_of_a_quote_have_each_place_once_the_best_before_those_that_are_out(
    house: House, lin: Tenant, many: int, limit: int
) -> None:
    wanted = job(lin, options={"time": "60", "cpus-per-task": "2"})
    whole = (await house.ask(lin, "POST", "/quotes", json=wanted, params={"limit": 200})).json()
    count = len(whole["offers"])
    assert (count, len(places(whole)), whole["next"]) == (many - MANY // 3, many, None)
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while not seen or cursor:
        page = (await house.ask(lin, "POST", "/quotes", json=wanted, params={"limit": limit, **cursor})).json()
        assert page["why_en"] == whole["why_en"], "of the best of all, on every page"
        assert len(page["offers"]) == min(max(count - len(seen), 0), limit)
        seen += places(page)
        assert (page["offers_left"], page["rejected_left"]) == (max(count - len(seen), 0), many - max(count, len(seen)))
        cursor = {} if page["next"] is None else {"cursor": page["next"]}
    assert seen == places(whole)


async def test_a_quote_is_no_longer_than_a_page_and_a_cursor_that_is_gone_is_refused(
    house: House, lin: Tenant, many: int
) -> None:
    assert many > 50
    assert len(places(await quoted(house, lin))) == 50
    for query in ({"cursor": "north/gone"}, {"limit": 0}, {"limit": 201}):
        refused = await house.ask(lin, "POST", "/quotes", json=job(lin), params=query)
        assert (refused.status_code, refused.json()["field"]) == (422, next(iter(query)))


async def test_before_a_deadline_it_is_said_who_is_in_time(house: House, lin: Tenant) -> None:
    far, near = ((house.clock.now() + timedelta(hours=hours)).isoformat() for hours in (1000, 0.05))
    wanted = {"objective": "deadline"}
    assert {
        one["is_in_time"] for one in (await quoted(house, lin, **wanted, constraints={"deadline": far}))["offers"]
    } == {True}
    found = await quoted(house, lin, **wanted, constraints={"deadline": near}, options={"time": "60"})
    assert {one["is_in_time"] for one in found["offers"]} == {False}
    assert "not certain to be done before" in found["why_en"]


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"objective": "deadline"}, "deadline"),
        ({"constraints": {"deadline": "2100-01-01T00:00:00Z"}}, "deadline"),
        ({"objective": "deadline", "constraints": {"deadline": "2020-01-01T00:00:00Z"}}, "deadline"),
        ({"constraints": {"most_cost": "-1"}}, "most_cost"),
        ({"constraints": {"most_cost": "much"}}, "most_cost"),
        ({"constraints": {"applications": ["two words"]}}, "applications"),
        ({"constraints": {"residency": [" "]}}, "residency"),
        ({"constraints": {"region": "x\ny"}}, "region"),
        ({"constraints": {"most_wait_seconds": True}}, "constraints.most_wait_seconds"),
        ({"constraints": {"least_trust": False}}, "constraints.least_trust"),
        ({"inputs": [{"path": "in", "sha256": "a" * 64, "size_bytes": True}]}, "inputs[0].size_bytes"),
    ],
)
async def test_a_demand_that_cannot_be_meant_is_refused_by_name(
    house: House, lin: Tenant, changes: dict[str, Any], field: str
) -> None:
    for path in ("/quotes", "/jobs"):
        answer = await house.ask(lin, "POST", path, json=job(lin, **changes))
        assert (answer.status_code, answer.json()["field"]) == (422, field)


@pytest.mark.parametrize(
    ("said", "status"),
    [({"applications": ["a b"]}, 422), ({"trust": 6}, 422), ({"bytes_per_second": 0}, 422), ({}, 404)],
)
async def test_what_no_centre_has_is_refused(house: House, boss: Person, said: dict[str, Any], status: int) -> None:
    centre = "nowhere" if status == 404 else EAST
    assert (await house.ask(boss, "PATCH", f"/operator/centres/{centre}/provision", json=said)).status_code == status
