"""Sums of usage over the API: everybody sees their own, the operator all."""

from datetime import timedelta

import pytest
from tests.paracloud.api.house import ADMIN, READ, WRITE, House, Person, Tenant
from tests.paracloud.dialects.log_lines import sacct
from tests.paracloud.jobs.world import EAST, START

from paracloud.dialects.history import HistoryRecord, accounted
from paracloud.dialects.slurm import history as slurm
from paracloud.metering.collect import collect


@pytest.fixture
async def used(house: House, lin: Tenant, wang: Tenant) -> None:
    """A day of 64 cores each."""
    told = slurm.read([sacct(), sacct(JobID="72", JobIDRaw="72", User="wang")])
    records = [accounted(one) for one in told if isinstance(one, HistoryRecord)]
    owners = {one.account: tenant.project for one, tenant in zip(records, (lin, wang), strict=True)}
    async with house.database.begin() as session:
        await collect(session, EAST, records, owners=owners, claims={}, now=START + timedelta(days=2))


async def rows(house: House, who: Person | str, **query: str) -> list[dict]:
    answer = await house.ask(who, "GET", "/usage/report", params=query)
    assert answer.status_code == 200, answer.text
    return answer.json()["rows"]


async def test_everybody_sees_their_own_usage_and_the_operator_all(house, lin, wang, boss, used):
    assert [row["user"] for row in await rows(house, lin, by="user")] == ["lin"]
    assert [row["user"] for row in await rows(house, lin.reading, by="user")] == ["lin"]
    assert [row["user"] for row in await rows(house, lin.administering, by="user")] == ["lin"]
    assert [row["user"] for row in await rows(house, wang, by="user")] == ["wang"]
    assert [row["user"] for row in await rows(house, boss, by="user")] == ["lin", "wang"]
    weaker, _ = await house.token(boss.user, READ, WRITE)
    assert await rows(house, weaker, by="user") == []
    deaf, _ = await house.token(lin.user, ADMIN)
    assert (await house.ask(deaf, "GET", "/usage/report")).status_code == 403


async def test_projects_of_one_name_are_told_apart(house, lin, wang, boss, used):
    found = await rows(house, boss, by="project")
    assert {row["project_id"] for row in found} == {str(lin.project), str(wang.project)}
    assert [row["core_hours"] for row in found] == ["1536.000000", "1536.000000"]


async def test_days_are_from_the_first_to_before_the_last(house, lin, used):
    found = await rows(house, lin, **{"from": "2026-06-02", "to": "2026-06-03"})
    assert [(row["day"], row["jobs"]) for row in found] == [("2026-06-02", 1)]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ({"by": "day,month"}, "by"),
        ({"by": "day,day"}, "by"),
        ({"by": ""}, "by"),
        ({"by": "user;drop"}, "by"),
        ({"from": "2026-06-02", "to": "2026-06-02"}, "to"),
        ({"from": "yesterday"}, "from"),
        ({"from": "2026-06-02T00:00:01"}, "from"),
    ],
)
async def test_a_report_that_cannot_be_meant_is_refused_by_its_field(house, lin, query, field):
    answer = await house.ask(lin, "GET", "/usage/report", params=query)
    assert answer.status_code in (400, 422)
    assert field in answer.json()["field"]
