"""A number that an operator writes is digits, bounded, and never something that only Decimal understands."""

import asyncio

import pytest
from tests.paracloud.api.house import House, Person, Tenant
from tests.paracloud.api.test_bad_input import problem
from tests.paracloud.jobs.world import EAST

UNTIL = "2100-01-01T00:00:00Z"
NO_NUMBERS = ("", " ", "9E+999999", "9E+999990", "1e5", "1_0", "１.5", "NaN", "Infinity", "+1", ".5", "1.", "0x10")
ANSWER_SECONDS = 10.0
"""Reckoning with 9E+999999 took minutes."""


@pytest.fixture
async def boss(house: House) -> Person:
    return await house.operator("chief")


def bodies(of: Tenant) -> dict[tuple[str, str, str], dict[str, object]]:
    """By method, path and the field that is to be a number."""
    project = str(of.project)
    price = {"centre": EAST, "queue": "fresh", "is_unseen": True, "core_hour": "0.1", "card_hour": "1"}
    package = {"project": project, "name": "hours", "amount": "1", "price": "1", "expires_at": UNTIL}
    nodes = {"project": project, "centre": EAST, "queue": "long", "nodes": 1, "monthly": "1", "share_basis_points": 0}
    contract = {"centre": EAST, "queue": "fresh", "is_unseen": True, "share_basis_points": 1}
    return {
        ("POST", "/operator/prices", "core_hour"): price,
        ("POST", "/operator/prices", "card_hour"): price,
        ("POST", "/operator/packages", "amount"): package,
        ("POST", "/operator/packages", "price"): package,
        ("POST", "/operator/dedications", "monthly"): nodes,
        ("POST", "/operator/budgets", "amount"): {"project": project},
        ("POST", "/operator/top-ups", "amount"): {"project": project, "key": "p-1"},
        ("POST", "/operator/contracts", "minimum"): contract,
        ("POST", "/operator/contracts", "fixed"): contract,
        ("PATCH", f"/operator/projects/{project}/funding", "line"): {},
    }


async def test_what_is_no_plain_number_is_refused_by_its_field_at_once(house, boss, wang):
    before = await house.contents()
    for (method, path, field), body in bodies(wang).items():
        for text in NO_NUMBERS:
            async with asyncio.timeout(ANSWER_SECONDS):
                answer = await house.ask(boss, method, path, json=body | {field: text})
            assert problem(answer)["field"] == field, (path, field, text)
    assert await house.contents() == before


async def test_an_amount_that_no_ledger_could_hold_is_refused_by_its_field(house, boss, wang):
    before = await house.contents()
    for (method, path, field), body in bodies(wang).items():
        answer = await house.ask(boss, method, path, json=body | {field: "9999999999999"})
        assert problem(answer)["field"] in (field, "total"), (path, field)
    assert await house.contents() == before


async def test_a_month_of_no_sensible_year_is_refused(house, boss, wang):
    for month in ("9999-12", "1999-12", "0001-01", "2026-13"):
        answer = await house.ask(wang, "GET", f"/projects/{wang.project}/statements/{month}")
        assert problem(answer)["field"] == "month"
        assert problem(await house.ask(boss, "POST", f"/operator/periods/{month}:close"))["field"] == "month"
