"""One Idempotency-Key, one job: whoever repeats a request gets the first answer."""

import asyncio

import pytest
from tests.paracloud.api.house import House, Person, Tenant, job

from paracloud.identity.caller import Role
from paracloud.kit.money import Money

JOBS = "SELECT count(*) FROM jobs"
HELD = "SELECT coalesce(sum(balance_micro), 0)::bigint FROM ledger_accounts WHERE code LIKE 'held:%'"
HOLDS = "SELECT count(*) FROM ledger_entries WHERE kind = 'hold'"


async def post(house: House, who: Person, body: dict[str, object], key: str = "k"):
    return await house.ask(who, "POST", "/jobs", json=body, headers={"Idempotency-Key": key})


async def test_the_same_request_again_is_answered_the_same_and_makes_nothing(house: House, lin: Tenant) -> None:
    first = await post(house, lin, job(lin, name="once"))
    after_first = await house.contents()
    again = await post(house, lin, job(lin, name="once"))
    assert first.status_code == again.status_code == 201
    assert first.json() == again.json()
    assert first.headers["location"] == again.headers["location"] == f"/api/v1/jobs/{first.json()['id']}"
    assert await house.contents() == after_first


async def test_eight_at_once_are_one_job_and_one_hold(house: House, lin: Tenant) -> None:
    answers = await asyncio.gather(*(post(house, lin, job(lin)) for _ in range(8)))
    assert {one.status_code for one in answers} == {201}
    assert len({one.text for one in answers}) == 1
    assert (await house.one(JOBS), await house.one(HOLDS)) == (1, 1)
    assert str(Money(await house.one(HELD))) == answers[0].json()["held"]["amount"]


async def test_eight_at_once_without_a_key_are_eight_jobs(house: House, lin: Tenant) -> None:
    answers = await asyncio.gather(*(house.ask(lin, "POST", "/jobs", json=job(lin)) for _ in range(8)))
    assert len({one.json()["id"] for one in answers}) == 8
    assert await house.one(JOBS) == 8


async def test_what_would_add_up_is_made_once_for_one_key(house: House, lin: Tenant) -> None:
    boss = await house.operator("chief")
    owner = await house.colleague(lin, "owner", Role.OWNER)
    asked = [
        (boss, "/operator/organisations", {"name": "new", "category": "university"}),
        (boss, "/operator/projects", {"organisation": str(lin.organisation), "name": "new"}),
        (boss, "/operator/budgets", {"project": str(lin.project), "amount": "5"}),
        (owner, f"/projects/{lin.project}/budgets", {"login": lin.login, "amount": "5"}),
    ]
    for who, path, body in asked:
        answers = [await house.ask(who, "POST", path, json=body, headers={"Idempotency-Key": path}) for _ in range(2)]
        assert [one.status_code for one in answers] == [201, 201], (path, answers[0].text)
        assert answers[0].json() == answers[1].json()
        other = await house.ask(who, "POST", path, json=body)
        assert other.json() != answers[0].json()


async def test_a_used_key_for_another_body_is_a_conflict(house: House, lin: Tenant) -> None:
    await post(house, lin, job(lin, name="one"))
    before = await house.contents()
    answer = await post(house, lin, job(lin, name="other"))
    assert (answer.status_code, answer.json()["code"]) == (409, "conflict")
    assert answer.json()["field"] == "Idempotency-Key"
    assert await house.contents() == before


async def test_the_same_key_of_two_users_is_two_keys(house: House, lin: Tenant, wang: Tenant) -> None:
    colleague = await house.colleague(lin, "song")
    bodies = [(lin, job(lin)), (wang, job(wang)), (colleague, job(lin))]
    answers = [await post(house, who, body) for who, body in bodies]
    assert [one.status_code for one in answers] == [201, 201, 201]
    assert len({one.json()["id"] for one in answers}) == 3


async def test_two_tokens_of_one_user_share_the_users_keys(house: House, lin: Tenant) -> None:
    first = await post(house, lin, job(lin))
    again = await house.ask(lin.administering, "POST", "/jobs", json=job(lin), headers={"Idempotency-Key": "k"})
    assert again.json() == first.json()


async def test_a_refused_request_does_not_use_its_key_up(house: House, boss: Person) -> None:
    poor = await house.tenant("poor", funds="0.01")
    assert (await post(house, poor, job(poor))).status_code == 402
    assert await house.one("SELECT count(*) FROM idempotency_keys") == 0
    payment = {"project": str(poor.project), "amount": "100.00", "key": "payment"}
    assert (await house.ask(boss, "POST", "/operator/top-ups", json=payment)).status_code == 201
    assert (await post(house, poor, job(poor))).status_code == 201


async def test_a_token_that_only_reads_is_refused_also_with_a_used_key(house: House, lin: Tenant) -> None:
    await post(house, lin, job(lin))
    again = await house.ask(lin.reading, "POST", "/jobs", json=job(lin), headers={"Idempotency-Key": "k"})
    assert again.status_code == 403


@pytest.mark.parametrize("key", ["", "a" * 201, "tab\there", "键".encode(), b"\xff\x00"])
async def test_a_key_that_is_none_says_what_it_must_be(house: House, lin: Tenant, key: str | bytes) -> None:
    before = await house.contents()
    answer = await house.ask(lin, "POST", "/jobs", json=job(lin), headers={b"Idempotency-Key": key})  # type: ignore[dict-item]
    assert (answer.status_code, answer.json()["code"]) == (422, "invalid")
    assert answer.json()["field"] == "Idempotency-Key"
    assert await house.contents() == before


async def test_a_payment_that_is_told_twice_counts_once(house: House, lin: Tenant, boss: Person) -> None:
    body = {"project": str(lin.project), "amount": "5.00", "key": "bank-7"}
    answers = await asyncio.gather(*(house.ask(boss, "POST", "/operator/top-ups", json=body) for _ in range(8)))
    assert {one.status_code for one in answers} == {201}
    assert sorted(one.json()["is_new"] for one in answers) == [False] * 7 + [True]
    balance = (await house.ask(lin, "GET", f"/projects/{lin.project}/balance")).json()
    assert balance["available"] == {"amount": "1005.000000", "currency": "CNY"}
    other = await house.ask(boss, "POST", "/operator/top-ups", json=body | {"amount": "6.00"})
    assert (other.status_code, other.json()["field"]) == (409, "key")
