"""Many jobs in one request: all of them, or none."""

import pytest
from tests.paracloud.api.house import House, Person, Tenant, job

from paracloud.wire.jobs import BATCH_LIMIT

JOBS = "SELECT count(*) FROM jobs"


async def post(house: House, who: Person, jobs: list[dict[str, object]], key: str = "k"):
    return await house.ask(who, "POST", "/jobs:batch", json={"jobs": jobs}, headers={"Idempotency-Key": key})


async def test_as_many_jobs_as_are_asked_for_in_their_order(house: House, lin: Tenant) -> None:
    answer = await post(house, lin, [job(lin, name=f"n{number}") for number in range(7)])
    assert answer.status_code == 201
    ids = [one["id"] for one in answer.json()["items"]]
    names = {one["id"]: one["name"] for one in (await house.ask(lin, "GET", "/jobs")).json()["items"]}
    assert [names[one] for one in ids] == [f"n{number}" for number in range(7)]


async def test_again_with_its_key_is_the_same_jobs_and_the_same_key_elsewhere_a_conflict(house, lin: Tenant) -> None:
    first = await post(house, lin, [job(lin), job(lin)])
    assert (await post(house, lin, [job(lin), job(lin)])).json() == first.json()
    assert await house.one(JOBS) == 2
    assert (await post(house, lin, [job(lin)])).status_code == 409
    elsewhere = {"json": {"jobs": [job(lin), job(lin)]}, "headers": {"Idempotency-Key": "k"}}
    assert (await house.ask(lin, "POST", "/jobs", **elsewhere)).status_code == 422
    assert await house.one(JOBS) == 2


async def test_one_key_serves_one_route(house: House, lin: Tenant) -> None:
    """Also where two routes would take the very same body."""
    one = job(lin)
    assert (await house.ask(lin, "POST", "/jobs", json=one, headers={"Idempotency-Key": "k"})).status_code == 201
    assert (await post(house, lin, [one])).status_code == 409
    assert await house.one(JOBS) == 1


@pytest.mark.parametrize(
    ("changes", "status", "field"),
    [
        ({"script": "#!/bin/bash\n#SBATCH --nodes=0\n"}, 422, "jobs[2]."),
        ({"options": {"partition": "nowhere"}}, 422, "jobs[2]"),
        ({"options": {"cpus-per-task": "4", "time": "23:00:00", "array": "0-999"}}, 402, "jobs[2]"),
    ],
)
async def test_one_that_is_refused_refuses_all_and_is_named(house: House, lin: Tenant, changes, status, field) -> None:
    before = await house.contents()
    answer = await post(house, lin, [job(lin), job(lin), job(lin, **changes)])
    told = answer.json()
    assert answer.status_code == status
    assert told["detail"].startswith("jobs[2]: ")
    assert told["detail_zh"].startswith("jobs[2]：")
    assert (told.get("field") or "jobs[2]").startswith(field)
    assert await house.contents() == before


async def test_a_foreign_project_among_ones_own_refuses_all(house: House, lin: Tenant, wang: Tenant) -> None:
    before = await house.contents()
    assert (await post(house, lin, [job(lin), job(wang)])).status_code == 404
    assert await house.contents() == before


@pytest.mark.parametrize("count", [0, BATCH_LIMIT + 1])
async def test_no_jobs_and_too_many_are_refused(house: House, lin: Tenant, count: int) -> None:
    assert (await post(house, lin, [job(lin)] * count)).status_code == 422
    assert await house.one(JOBS) == 0
