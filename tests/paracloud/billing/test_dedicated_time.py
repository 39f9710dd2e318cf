"""On dedicated nodes each second is free while they are the customer's, and each other one costs its price."""

import json
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    RECORD,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)

from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.issue_receipts import issue_receipts, receipts_page
from paracloud.billing.pick import Terms
from paracloud.billing.rate import rate
from paracloud.billing.receipt import Signer
from paracloud.billing.reconcile import reconcile
from paracloud.kit.identifiers import ProjectId, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.usage import UNCLAIMED, key_of
from paracloud.metering.usage import metered as as_usage

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


def nodes(project: ProjectId, start: datetime, end: datetime | None = None) -> Dedication:
    return Dedication(new_dedication_id(), project, EAST, "cpu", 2, Money(0), 0, start, end)


def ran(start: datetime, end: datetime, **changes):
    seconds = {"elapsed_seconds": int((end - start).total_seconds())}
    return record("1", **({"submitted_at": NOW, "started_at": start, "ended_at": end} | seconds | changes))


async def dedicated(database, *wanted: Dedication) -> None:
    async with database.begin() as session:
        for one in wanted:
            await dedicate(session, one, person="op", now=NOW, is_unseen=True)


def price_of(opened, seconds: int) -> int:
    return rate(4 * seconds, 0, opened.price, 7500).amount.micro


async def reconciled(database, opened, one) -> list[str]:
    start = one.ended_at - DAY
    async with database.begin() as session:
        result = await reconcile(
            session, EAST, [one], start=start, end=one.ended_at + DAY, lent=opened.lent, pinned={}, since=start
        )
    assert result.accounted_micro == result.charged_micro
    return [mismatch.cause.value for mismatch in result.mismatches]


@pytest.mark.parametrize(
    ("start", "end", "seconds"),
    [
        (NOW, NOW + HOUR, 0),
        (NOW + DAY, NOW + DAY + HOUR, 3600),  # it waited until the nodes were no longer the customer's
        (NOW + HOUR, NOW + 3 * HOUR, 3600),
        (NOW - 2 * HOUR, NOW + HOUR, 3600),  # it began before they were
        (NOW - 2 * HOUR, NOW + 3 * HOUR, 7200),
        (NOW - HOUR - timedelta(microseconds=1), NOW, 1),  # a begun second counts whole
    ],
)
async def test_each_second_outside_costs_its_price_and_no_other(database, start, end, seconds):
    opened = await world(database)
    await dedicated(database, nodes(opened.project, NOW - HOUR, NOW + 2 * HOUR))
    one = ran(start, end)
    assert await charged(database, await metered(database, opened, one)) == [price_of(opened, seconds)]
    assert await reconciled(database, opened, one) == []
    await sound(database)


async def test_a_correction_posts_the_difference_of_what_is_outside(database):
    opened = await world(database)
    await dedicated(database, nodes(opened.project, NOW - DAY, NOW + HOUR))
    first, longer = ran(NOW, NOW + 2 * HOUR), ran(NOW, NOW + 3 * HOUR)
    both = [await charged(database, await metered(database, opened, one)) for one in (first, longer)]
    assert both == [[price_of(opened, 3600)], [price_of(opened, 7200) - price_of(opened, 3600)]]
    assert await reconciled(database, opened, longer) == []
    inside = ran(NOW, NOW + HOUR)
    assert await charged(database, await metered(database, opened, inside)) == [-price_of(opened, 7200)]
    assert await left(database, opened) == 100_000_000
    await sound(database)


async def test_a_run_of_which_the_centre_corrects_that_it_began_on_the_customers_nodes_costs_what_is_outside(database):
    opened = await world(database)
    await dedicated(database, nodes(opened.project, NOW - DAY, NOW + HOUR))
    after, across, inside = ran(NOW + HOUR, NOW + 2 * HOUR), ran(NOW, NOW + 3 * HOUR), ran(NOW, NOW + HOUR)
    for one, seconds in ((after, 3600), (across, 7200), (inside, 0), (after, 3600)):
        before = await left(database, opened)
        (more,) = await charged(database, await metered(database, opened, one))
        assert await left(database, opened) == before - more == 100_000_000 - price_of(opened, seconds)
        assert await reconciled(database, opened, one) == []
        await sound(database)


async def test_nodes_that_are_dedicated_again_leave_no_gap_and_a_suspended_run_costs_no_more_than_it_ran(database):
    opened = await world(database)
    again = nodes(opened.project, NOW - DAY, NOW + HOUR), nodes(opened.project, NOW + HOUR, NOW + 2 * HOUR)
    await dedicated(database, *again)
    assert await charged(database, await metered(database, opened, ran(NOW, NOW + 2 * HOUR))) == [0]
    slept = replace(ran(NOW, NOW + 9 * HOUR, elapsed_seconds=60), record_id="2")
    assert await charged(database, await metered(database, opened, slept)) == [price_of(opened, 60)]


async def test_packages_pay_for_what_a_correction_adds_outside(database):
    opened = await world(database)
    package = await sold(database, opened, hours=100)
    before = await left(database, opened)
    await dedicated(database, nodes(opened.project, NOW - DAY, NOW + HOUR))
    for end, hours in ((2 * HOUR, 1), (3 * HOUR, 2), (2 * HOUR, 1)):
        await charged(database, await metered(database, opened, ran(NOW, NOW + end)))
        assert (await package_now(database, package)).used == 4 * 3600 * hours
        assert await left(database, opened) == before
    await sound(database)


async def test_packages_pay_for_what_is_outside_alone_and_the_receipt_says_how_much_that_is(database):
    opened = await world(database)
    package = await sold(database, opened, hours=100)
    await dedicated(database, nodes(opened.project, NOW - DAY, NOW + HOUR))
    await charged(database, await metered(database, opened, ran(NOW, NOW + 2 * HOUR)))
    assert (await package_now(database, package)).used == 4 * 3600
    async with database.begin() as session:
        await issue_receipts(session, Signer(bytes(32)), opened.project, now=NOW)
        (receipt,) = await receipts_page(session, opened.project, 1)
    said = json.loads(receipt.text)
    assert (said["dedicated"], said["elapsed_seconds"], said["dedicated_seconds"]) == (True, 7200, 3600)
    await sound(database)


MINUTES = st.integers(-300, 300).map(lambda minutes: NOW + timedelta(minutes=minutes))


@given(st.lists(MINUTES, min_size=4, max_size=4), st.integers(0, 40_000))
def test_what_is_billed_is_what_ran_less_what_is_paid_by_the_month(times, elapsed):
    first, last, start, end = sorted(times[:2]) + sorted(times[2:])
    project = ProjectId(new_uuid())
    one = replace(RECORD, started_at=start, ended_at=end, elapsed_seconds=elapsed)
    usage = as_usage(key_of(EAST, one), one, project, UNCLAIMED)
    terms = Terms(None, None, (nodes(project, first, last),))  # type: ignore[arg-type]  # only the time is looked at
    free = max((min(end, last) - max(start, first)).total_seconds(), 0)
    outside = int((end - start).total_seconds() - free)
    assert terms.billed(usage).elapsed_seconds == min(outside, elapsed)
