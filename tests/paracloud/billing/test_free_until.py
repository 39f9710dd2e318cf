"""Until when dedicated nodes are a customer's, on values; and that it is what the months' turns then bring."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from tests.paracloud.billing.builders import EAST, NOW, world

from paracloud.billing.dedication import Dedication, dedicate, dedications_of, new_dedication_id
from paracloud.billing.fee import fee_months
from paracloud.billing.free_until import Ends, after_fees, ends_of
from paracloud.billing.post_fees import post_fees
from paracloud.kit.identifiers import ProjectId, new_uuid
from paracloud.kit.money import Money

OURS, ANOTHERS = ProjectId(new_uuid()), ProjectId(new_uuid())
DAY = timedelta(days=1)
MAY, JUNE, JULY = date(2026, 5, 1), date(2026, 6, 1), date(2026, 7, 1)


def nodes(start: datetime = NOW, end: datetime | None = None, monthly: int = 30, **changes) -> Dedication:
    plain = Dedication(new_dedication_id(), OURS, EAST, "cpu", 2, Money(monthly), 0, start, end)
    return replace(plain, **changes)


def at(month: date) -> datetime:
    return datetime(month.year, month.month, month.day, tzinfo=UTC)


def test_an_end_that_is_agreed_is_the_end_unless_enough_nodes_follow_without_a_gap():
    first = nodes(end=NOW + DAY)
    assert Ends((first,)).free_until(first.id, 1) == NOW + DAY
    following = nodes(NOW + DAY, NOW + 2 * DAY)
    assert Ends((first, following)).free_until(first.id, 2) == NOW + 2 * DAY
    assert Ends((first, following, nodes(NOW + 2 * DAY))).free_until(first.id, 2) is None
    for other in (
        replace(following, nodes=1), replace(following, project=ANOTHERS), replace(following, queue="gpu"),
        replace(following, valid_from=NOW + DAY + timedelta(seconds=1)), replace(following, valid_to=NOW + DAY),
    ):  # fmt: skip
        assert Ends((first, other)).free_until(first.id, 2) == NOW + DAY


@pytest.mark.parametrize(("left", "end"), [(30, None), (29, at(JULY)), (-1, at(JULY))])
def test_a_fee_that_cannot_be_paid_ends_them_with_the_month_that_is(left, end):
    one = nodes()
    (after,) = after_fees([one], {(one.id, JULY)}, {OURS: left}, JULY)
    assert after.valid_to == end


def test_an_end_that_is_agreed_later_than_a_month_that_cannot_be_paid_does_not_make_that_free():
    one = nodes(end=at(JULY) + DAY, monthly=310)
    assert after_fees([one], {(one.id, JULY)}, {OURS: 9}, JULY)[0].valid_to == at(JULY)
    assert after_fees([one], {(one.id, JULY)}, {OURS: 10}, JULY)[0].valid_to == at(JULY) + DAY


def test_of_two_the_fees_are_taken_one_after_the_other_and_the_older_month_first():
    one, two = nodes(), nodes(queue="gpu", monthly=20)
    due = {(one.id, JULY), (two.id, JULY)}
    assert [of.valid_to for of in after_fees([one, two], due, {OURS: 49}, JULY)] == [None, at(JULY)]
    assert [of.valid_to for of in after_fees([one, two], due, {OURS: 20}, JULY)] == [at(JULY), None]
    due = {(one.id, JULY), (two.id, JUNE)}
    ends = [of.valid_to for of in after_fees([one, two], due, {OURS: 30}, JULY)]
    assert ends == [at(JULY), None]


def test_who_has_paid_a_later_month_keeps_his_nodes():
    one = nodes(at(MAY))
    assert after_fees([one], {(one.id, MAY)}, {OURS: 0}, JULY)[0].valid_to is None
    assert after_fees([one], {(one.id, MAY), (one.id, JUNE), (one.id, JULY)}, {OURS: 0}, JULY)[0].valid_to == at(MAY)


@pytest.mark.parametrize(
    "fees", [(0,), (50,), (51,), (120,), (30, 20, 10), (30, 30, 60), (60, 10, 15), (10, 70, 40), (5, 90, 5), (1, 1, 99)]
)
async def test_what_is_foreseen_is_what_the_months_turn_brings(database, fees):
    """Whatever there is to be paid, if nothing else is."""
    opened = await world(database, money="100")
    wanted = [
        nodes(NOW - number * 20 * DAY, monthly=Money.parse(str(fee)).micro, project=opened.project, queue=f"q{number}")
        for number, fee in enumerate(fees)
    ]
    async with database.begin() as session:
        for one in wanted:
            await dedicate(session, one, person="op", now=NOW, is_unseen=True)
        foreseen = await ends_of(session, [opened.project], NOW)
    async with database.begin() as session:
        await post_fees(session, JULY, now=at(JULY))
        assert tuple(await dedications_of(session, [opened.project])) == foreseen.dedications


def test_a_dedication_has_the_months_that_it_holds_in():
    assert list(fee_months(nodes(), JULY)) == [JUNE, JULY]
    assert list(fee_months(nodes(end=at(JULY)), JULY)) == [JUNE]
