"""A job runs on into a month whose fee may not be paid."""

from dataclasses import replace

import pytest
from tests.paracloud.billing.builders import sound
from tests.paracloud.jobs.dedicated.nodes import DUE, END, JULY, charged, settled
from tests.paracloud.jobs.flight import SLICES

from paracloud.billing.funding import set_funding
from paracloud.billing.period import month_of
from paracloud.billing.post_fees import post_fees
from paracloud.dialects.records import NativePhase
from paracloud.kit.money import Money


async def test_before_a_month_whose_fee_cannot_be_paid_the_price_is_held_and_then_charged_from_it(fly_on_own):
    flying = await fly_on_own("1")
    job = await flying.running()
    await flying.look(DUE - 1, job)
    assert await flying.world.held() == 0
    for seconds, held in ((DUE, 60_000), (END + 300, 120_000)):
        await flying.look(seconds, job)
        assert await flying.world.held() == held
    async with flying.world.database.begin() as session:
        assert await post_fees(session, month_of(JULY), now=flying.world.clock.now())
    await flying.look(END + 301, job)
    await settled(flying, job, END + 600)
    assert (await charged(flying, job), await flying.world.held()) == (60_000, 0)
    assert await flying.world.wallet() == 1_000_000 - 60_000
    await sound(flying.world.database)


async def test_before_a_month_that_nothing_can_be_paid_of_the_job_is_landed(fly_on_own):
    flying = await fly_on_own("0.01")
    job = await flying.running()
    await flying.look(DUE - 1, job)
    assert await flying.told() == []
    await flying.look(DUE, job)
    assert (await flying.wishes(), await flying.told()) == (["signal"], ["landing"])
    await flying.deliver()
    await flying.look(DUE + 300, job)
    assert await flying.wishes() == ["cancel"]
    await settled(flying, job, DUE + 302, phase=NativePhase.CANCELLED)
    assert (await charged(flying, job), await flying.world.wallet()) == (0, 10_000)


@pytest.mark.parametrize("is_signalled", [False, True])
async def test_a_top_up_that_pays_the_fee_calls_the_landing_off_and_nothing_is_held(fly_on_own, is_signalled):
    flying = await fly_on_own("0")
    job = await flying.running()
    await flying.look(DUE, job)
    if is_signalled:
        await flying.deliver()
    await flying.pay("36")
    await flying.look(DUE + 5, job)
    assert (await flying.wishes(), await flying.told()) == ([], ["landing", "landing-called-off"])
    await flying.look(END - 1, job)
    async with flying.world.database.begin() as session:
        assert await post_fees(session, month_of(JULY), now=JULY) == []
    await flying.look(3599, job)
    assert (await flying.world.held(), await flying.wishes(), len(await flying.told())) == (0, [], 2)
    await settled(flying, job, 3600)
    assert (await charged(flying, job), await flying.world.wallet()) == (0, 0)
    await sound(flying.world.database)


async def test_a_top_up_that_pays_the_price_but_not_the_fee_calls_the_landing_off_with_a_hold(fly_on_own):
    flying = await fly_on_own("0")
    job = await flying.running()
    await flying.look(DUE, job)
    await flying.pay("1")
    await flying.look(DUE + 5, job)
    assert await flying.told() == ["landing", "landing-called-off"]
    assert await flying.world.held() == 60_000


async def test_a_fee_that_the_credit_line_pays_bothers_nobody(fly_on_own):
    flying = await fly_on_own("0")
    async with flying.world.database.begin() as session:
        await set_funding(session, flying.world.project, replace(SLICES, line=Money.parse("36")))
    job = await flying.running()
    await flying.look(END - 1, job)
    assert (await flying.world.held(), await flying.told()) == (0, [])
