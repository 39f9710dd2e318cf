"""A charge that was forged is found, whichever of its amounts it is."""

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import EAST, NOW, metered
from tests.paracloud.billing.three_books import DAY, RUNS, START, amount, found, opened, reconciled

from paracloud.billing import charges
from paracloud.billing.charges import NewCharge
from paracloud.billing.check import check
from paracloud.billing.contract import Lent, add_contract, contracts_of
from paracloud.billing.entry import OWNERS, Entry, payable, revenue, wallet
from paracloud.billing.mismatch import Cause
from paracloud.billing.period import month_of, open_periods
from paracloud.billing.post import post
from paracloud.billing.rate import rate
from paracloud.identity.create_project import create_project
from paracloud.kit.identifiers import OrganisationId

__all__ = ["opened"]


async def forged(database, opened, *, amount_micro: int, share: int, posted: int) -> None:
    """A charge that billing would not make, with an entry that the database lets through: it balances."""
    (usage,) = await metered(database, opened, RUNS[0])
    postings = {wallet(opened.project): -amount_micro, payable(EAST): posted, revenue("general"): amount_micro - posted}
    async with database.begin() as session:
        (contract,) = await contracts_of(session, [EAST])
        periods = await open_periods(session, [month_of(NOW)])
        row = NewCharge(
            usage=usage.id, revision=1, period=periods[month_of(NOW)], project=opened.project, user=None,
            reference=None, price=opened.price.id, contract=contract.id, share_basis_points=7500,
            list_micro=amount_micro, volume_micro=None, amount_micro=amount_micro, package_micro=0, credit_micro=0,
            share_micro=share, owner_micro=0, dedication=None, currency="CNY", is_duplicate=False,
        )  # fmt: skip
        key = f"charge:{usage.id}:1"
        made = await post(session, [Entry(key, "charge", "CNY", postings, reference=str(usage.id))], now=NOW)
        await charges.add(session, [(row, made[key])], NOW)


async def test_a_wrong_amount_a_wrong_share_and_what_is_not_settled_are_found(database, opened):
    right = rate(100, 0, opened.price, 7500)
    whole, share = right.amount.micro, right.share.micro
    await forged(database, opened, amount_micro=whole, share=share + 5, posted=share + 5)
    assert found(await reconciled(database, opened, [RUNS[0]])) == [(Cause.WRONG_SHARE, "1", 5)]


@pytest.mark.parametrize(
    ("more", "share", "posted", "expected"),
    [(7, 0, 0, (Cause.WRONG_AMOUNT, "1", 7)), (0, 0, -3, (Cause.NOT_SETTLED, "1", -3))],
)
async def test_a_forged_charge_is_found(database, opened, more, share, posted, expected):
    right = rate(100, 0, opened.price, 7500)
    due = right.share.micro + share
    await forged(database, opened, amount_micro=right.amount.micro + more, share=due, posted=due + posted)
    assert found(await reconciled(database, opened, [RUNS[0]])) == [expected]


async def lent_out(database, opened, *, owner: int, posted: int, to: str | None = None) -> None:
    """A charge at nodes of which half goes to the centre and 30 % to who lends them out; `owner` is what it says of the
    latter, and `posted` what its entry gives to them, or to the project `to`."""
    (usage,) = await metered(database, opened, RUNS[0])
    async with database.begin() as session:
        organisation = (await session.execute(text("SELECT organisation_id FROM projects"))).scalar_one()
        lender = await create_project(session, OrganisationId(organisation), "邻组", now=NOW)
        await add_contract(
            session, EAST, 5000, person="op", now=START, valid_from=START - DAY, queue="cpu", lent=Lent(lender, 3000)
        )
        contract = next(one for one in await contracts_of(session, [EAST]) if one.queue == "cpu")
        right = rate(100, 0, opened.price, 5000)
        whole, share = right.amount.micro, right.share.micro
        periods = await open_periods(session, [month_of(NOW)])
        row = NewCharge(
            usage=usage.id, revision=1, period=periods[month_of(NOW)], project=opened.project, user=None,
            reference=None, price=opened.price.id, contract=contract.id, share_basis_points=5000, list_micro=whole,
            volume_micro=None, amount_micro=whole, package_micro=0, credit_micro=0, share_micro=share,
            owner_micro=owner, dedication=None, currency="CNY", is_duplicate=False,
        )  # fmt: skip
        gets = f"{OWNERS}{to or lender}"
        postings = {wallet(opened.project): -whole, payable(EAST): share, gets: posted}
        postings[revenue("general")] = whole - share - posted
        made = await post(session, [Entry(f"charge:{usage.id}:1", "charge", "CNY", postings)], now=NOW)
        await charges.add(session, [(row, made[f"charge:{usage.id}:1"])], NOW)


PART = "what a charge gives the centre and the lender is what its contract says"
POSTED = "the entry of a charge posts what the charge says"
TO_WHOM = "a lender's part is posted to whom the contract names"


@pytest.mark.parametrize(
    ("owner", "posted", "to", "expected", "checked"),
    [
        (1029, 1029, None, [], set()),
        (1036, 1036, None, [(Cause.WRONG_SHARE, "1", 7)], {PART}),
        (0, 0, None, [(Cause.WRONG_SHARE, "1", -1029)], {PART}),
        (1029, 1020, None, [(Cause.NOT_SETTLED, "1", -9)], {POSTED, TO_WHOM}),
        (1029, 1029, "somebody-else", [(Cause.NOT_SETTLED, "1", -1029)], {TO_WHOM}),
    ],
)
async def test_a_wrong_part_of_who_lent_the_nodes_is_found(database, opened, owner, posted, to, expected, checked):
    assert round(amount(opened, RUNS[0]) * 0.3) == 1029
    await lent_out(database, opened, owner=owner, posted=posted, to=to)
    assert found(await reconciled(database, opened, [RUNS[0]])) == expected
    async with database.begin() as session:
        assert {one.what for one in await check(session)} == checked
