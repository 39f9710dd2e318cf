"""How often forecasts held, as the operator asks for it."""

from datetime import timedelta

from tests.paracloud.jobs.world import EAST, START, WEST

from paracloud.jobs import store_forecasts, store_waits
from paracloud.kit.identifiers import new_uuid


async def said(house, lin) -> None:
    """Of one job that waits; and a model that was no better than the plain rule."""
    job = await house.submit(lin, centre=EAST)
    times = {"wait_p50_seconds": 10, "wait_p90_seconds": 60, "run_p50_seconds": 1, "run_p90_seconds": 2}
    costs = {"cost_p50_micro": 100, "cost_p90_micro": 200}
    model = {"jobs": 900, "hours": 99, "judged": 180, "loss": "0.2", "plain_loss": "0.1", "held": 1, "plain_held": 1}
    async with house.database.begin() as session:
        values = {
            "job_id": job,
            "made_at": START + timedelta(seconds=1),
            "centre": EAST,
            "queue": "cpu",
            "model": "plain",
        }
        await store_forecasts.add(session, values | times | costs)
        values = {"id": new_uuid(), "trained_at": START, "is_used": False, "format": "waits-1", "model": "{}"}
        await store_waits.add_model(session, values | model)


async def asked(house, boss, query: str = "") -> dict:
    answer = await house.ask(boss, "GET", f"/operator/forecasts{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_by_centre_the_operator_sees_what_held_and_what_models_there_were(house, lin, boss):
    assert await asked(house, boss) == {"centres": [], "models": []}
    await said(house, lin)
    house.clock.forward(timedelta(seconds=62))
    found = await asked(house, boss)
    (east,) = found["centres"]
    assert (east["centre"], east["overdue"]) == (EAST, 1)
    assert east["wait"] == {"count": 1, "held": 0.0, "ratio": None}
    assert east["run"] == east["cost"] == {"count": 0, "held": None, "ratio": None}
    (model,) = found["models"]
    assert (model["jobs"], model["is_used"], model["loss"], model["plain_loss"]) == (900, False, 0.2, 0.1)


async def test_one_centre_and_some_days_can_be_asked_for_and_an_unknown_centre_is_told(house, lin, boss):
    await said(house, lin)
    house.clock.forward(timedelta(minutes=10))
    assert [one["centre"] for one in (await asked(house, boss, f"?centre={EAST}&days=1"))["centres"]] == [EAST]
    assert (await asked(house, boss, f"?centre={WEST}"))["centres"] == []
    assert (await house.ask(boss, "GET", "/operator/forecasts?centre=nowhere")).status_code == 404
    assert (await house.ask(boss, "GET", "/operator/forecasts?days=0")).status_code == 422
