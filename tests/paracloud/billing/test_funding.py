"""What is agreed of a project's funding: its credit line, slices, levels and grace."""

import asyncio
from datetime import timedelta

import pytest
from tests.paracloud.billing.builders import left, sound, world
from tests.paracloud.billing.paying import funded, held

from paracloud.billing.funding import Changes, Funding, change_funding, funding_of, set_funding
from paracloud.kit.errors import Invalid, NotEnoughFunds
from paracloud.kit.money import Money


async def test_a_credit_line_is_how_far_below_nothing_a_wallet_may_go(database):
    opened = await world(database, "5")
    await funded(database, opened, line=Money.parse("10"))
    await held(database, opened, "job-1", "12")
    assert await left(database, opened) == -7_000_000
    with pytest.raises(NotEnoughFunds, match=r"3\.000000 is available: 0\.000001"):
        await held(database, opened, "job-2", "3.000001")
    await held(database, opened, "job-2", "3")
    await sound(database)


async def test_what_is_agreed_of_funding_comes_back_as_itself(database):
    opened = await world(database)
    levels = (Money.parse("20"), Money.parse("5"))
    wanted = Funding(Money.parse("10"), timedelta(hours=1), levels, "TERM", timedelta(minutes=5))
    async with database.begin() as session:
        assert await funding_of(session, opened.project) == Funding()
        await set_funding(session, opened.project, wanted)
        assert await funding_of(session, opened.project) == wanted


async def test_two_changes_of_funding_at_once_undo_nothing_of_each_other(database):
    opened = await world(database)

    async def changed(**changes) -> None:
        async with database.begin() as session:
            await change_funding(session, opened.project, Changes(**changes))

    for number in range(5):
        line, grace = Money(number), timedelta(seconds=number)
        await asyncio.gather(changed(line=line), changed(grace=grace), changed(signal="TERM"))
        async with database.begin() as session:
            assert await funding_of(session, opened.project) == Funding(line=line, grace=grace, signal="TERM")


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"line": Money(-1)}, "line"),
        ({"hold": timedelta(seconds=59)}, "hold"),
        ({"signal": "KILL"}, "signal"),
        ({"grace": timedelta(days=2)}, "grace"),
        ({"warnings": (Money(5, "USD"),)}, "warnings"),
        ({"warnings": (Money(0), Money(-1))}, "warnings"),
    ],
)
async def test_funding_that_cannot_be_meant_is_refused(database, wrong, field):
    opened = await world(database)
    with pytest.raises(Invalid) as refused:
        await funded(database, opened, **wrong)
    assert refused.value.field == field
