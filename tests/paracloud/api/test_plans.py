"""What would be refused of connecting a centre is said before its machine is asked anything."""

from typing import Any

import asyncssh
import pytest
from sqlalchemy import text
from tests.paracloud.api.house import House, Person, Tenant
from tests.paracloud.api.routes import REAL_KEY, SILENT_PORT
from tests.paracloud.jobs.world import HOST_KEY

ANOTHER_KEY = asyncssh.generate_private_key("ssh-ed25519").export_public_key().decode().strip()
EASTS = {"host": "127.0.0.1", "port": 22}
"""Where the house's centre east is."""
PLAN: dict[str, Any] = {
    "name": "south", "title_en": "South", "title_zh": "南", "host": "login.south.example", "service_account": "watcher",
    "accounts": ["south0", "south1"], "test_account": "south0",
}  # fmt: skip
TRIAL: dict[str, Any] = {
    "name": "south", "host": "127.0.0.1", "port": SILENT_PORT, "host_key": REAL_KEY, "service_account": "watcher",
    "accounts": ["real0"], "dialect": "slurm", "queue": "cpu",
}  # fmt: skip


async def checked(house: House, boss: Person, **changes: Any) -> tuple[int, str | None]:
    """Status, and the field at fault."""
    answer = await house.ask(boss, "POST", "/operator/centres:check", json=PLAN | changes)
    if answer.status_code == 204:
        return 204, None
    problem = answer.json()
    assert problem["detail"]
    assert problem["detail_zh"]
    return answer.status_code, problem.get("field")


async def take(house: House, lin: Tenant, account: str) -> None:
    async with house.database.begin() as session:
        statement = "UPDATE centre_accounts SET project_id = :of, assigned_at = now() WHERE account = :account"
        await session.execute(text(statement), {"of": lin.project, "account": account})


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, (204, None)),
        ({"name": "South!"}, (422, "name")),
        ({"host": "-oProxyCommand=x"}, (422, "host")),
        ({"accounts": []}, (422, "accounts")),
        ({"accounts": ["root"]}, (422, "accounts")),
        ({"test_account": "root"}, (422, "accounts")),
        ({"test_account": "Not A Name"}, (422, "accounts")),
        ({"test_account": "watcher"}, (422, "service_account")),
        ({"accounts": ["watcher"]}, (422, "service_account")),
        ({"commands_per_minute": 5}, (422, "commands_per_minute")),
        ({"name": "east"}, (409, "name")),
        ({"name": "east", "is_look": True}, (204, None)),
        ({"name": "Ea st", "is_look": True}, (422, "name")),
        (EASTS | {"accounts": ["south0", "east1"]}, (409, "accounts")),
        (EASTS | {"port": 23, "accounts": ["south0", "east1"]}, (204, None)),
        ({"host_key": f"{HOST_KEY} root@east", "accounts": ["east1"]}, (409, "accounts")),
    ],
)
async def test_what_is_wrong_is_named(house: House, boss: Person, changes, expected):
    assert await checked(house, boss, **changes) == expected


async def test_no_trial_runs_in_an_account_that_a_project_has(house: House, boss: Person, lin: Tenant):
    assert await checked(house, boss, **EASTS, test_account="east0", is_look=True) == (204, None)
    await take(house, lin, "east0")
    assert await checked(house, boss, **EASTS, test_account="east0", is_look=True) == (409, "accounts")
    assert await checked(house, boss, test_account="east0", is_look=True) == (204, None)  # a namesake elsewhere


@pytest.mark.parametrize("way", [{"host_key": ANOTHER_KEY}, {"host": "10.0.0.1", "port": 2222}])
async def test_the_trial_itself_is_refused_there_by_the_machines_address_and_by_its_key(house, boss, lin, way):
    before = {"name": "real", "title_en": "Real", "title_zh": "真"}
    there = {one: TRIAL[one] for one in ("host", "port", "host_key", "service_account", "accounts")}
    assert (await house.ask(boss, "POST", "/operator/centres", json=before | there)).status_code == 201
    await take(house, lin, "real0")
    answer = await house.ask(boss, "POST", "/operator/trials", json=TRIAL | way)
    assert (answer.status_code, answer.json()["field"]) == (409, "accounts"), answer.text
    assert "--test-account" in answer.json()["detail"]
    assert "课题组" in answer.json()["detail_zh"]


async def test_an_account_is_lent_once_whatever_the_centre_is_called(house: House, boss: Person):
    way = {"host": "127.0.0.1", "host_key": HOST_KEY, "service_account": "watcher"}
    names = {"name": "again", "title_en": "Again", "title_zh": "又"}
    answer = await house.ask(boss, "POST", "/operator/centres", json=names | way | {"accounts": ["east2"]})
    assert (answer.status_code, answer.json()["field"], "east2" in answer.json()["detail"]) == (409, "accounts", True)
    answer = await house.ask(boss, "POST", "/operator/centres", json=names | way | {"accounts": ["east9"]})
    assert answer.status_code == 201


async def test_a_budget_that_a_job_of_this_scheduler_never_fits_is_refused(house: House, boss: Person):
    assert await checked(house, boss, dialect="gridengine", commands_per_minute=12) == (422, "commands_per_minute")
    assert await checked(house, boss, dialect="gridengine", commands_per_minute=15) == (204, None)
    assert await checked(house, boss, dialect="slurm", commands_per_minute=12) == (204, None)
