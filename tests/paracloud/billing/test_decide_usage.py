"""What a person decides of usage that no rule decides: it is charged, corrected and taken back like any other."""

from decimal import Decimal

import pytest
from sqlalchemy import text
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)
from tests.paracloud.billing.deciding import (
    DAY,
    NO_NODES,
    closed,
    decided,
    differences,
    priced,
    reversed_,
    taken_back,
    waiting,
)

from paracloud.billing import store
from paracloud.billing.contract import Lent, add_contract
from paracloud.billing.decide import MOST_MICRO
from paracloud.billing.entry import owner, payable, revenue
from paracloud.billing.rate import Price, rate
from paracloud.billing.reverse import reverse
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import Tier, Tiers
from paracloud.identity.create_project import create_project
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import EntryId, OrganisationId


async def test_what_was_reversed_is_charged_anew_at_the_price_that_a_person_says(database):
    opened, usage = await reversed_(database)
    before = await left(database, opened)
    price = await priced(database)
    made = await decided(database, usage.id, price)
    whole = rate(400, 0, Price(price, "industry", Decimal("0.5"), Decimal(0), "CNY"), 7500)
    assert (made.amount_micro, made.decision.revision, made.is_new) == (whole.amount.micro, 2, True)
    assert await left(database, opened) == before - whole.amount.micro
    async with database.begin() as session:
        assert await store.balance(session, revenue("general")) == 0
        assert await store.balance(session, revenue("industry")) == whole.margin.micro
        assert await store.balance(session, payable(EAST)) == whole.share.micro
        entry = text("SELECT entry.reason, entry.person FROM ledger_entries AS entry WHERE key = :key")
        said = (await session.execute(entry, {"key": f"charge:{usage.id}:2"})).one()
    assert tuple(said) == ("the node was slow", "op")
    await sound(database)
    assert await differences(database, opened, record()) == []


async def test_what_a_person_priced_is_corrected_and_taken_back_like_any_other_charge(database):
    opened, usage = await reversed_(database)
    before = await left(database, opened)
    made = await decided(database, usage.id, await priced(database))
    longer = record(elapsed_seconds=200)
    assert await charged(database, await metered(database, opened, longer)) == [111_111 - made.amount_micro]
    assert await differences(database, opened, longer) == []
    await sound(database)
    await taken_back(database, usage.id)
    assert await left(database, opened) == before
    await sound(database)
    again = await decided(database, usage.id, opened.price.id)
    assert again.amount_micro == rate(800, 0, opened.price, 7500).amount.micro
    await sound(database)
    assert await differences(database, opened, longer) == []


async def test_of_what_was_charged_anew_the_old_entries_are_not_reversed_again(database):
    opened = await world(database)
    for seconds in (100, 200):
        (usage,) = await metered(database, opened, record(elapsed_seconds=seconds))
        await charged(database, [usage])
    query = text("SELECT entry_id FROM charges WHERE revision = 1")
    async with database.begin() as session:
        first = EntryId((await session.execute(query)).scalar_one())
    await taken_back(database, usage.id)
    await decided(database, usage.id, opened.price.id)
    with pytest.raises(Conflict, match="reversed before"):
        async with database.begin() as session:
            await reverse(session, first, reason="again", person="op", now=NOW)
    await sound(database)


async def test_an_owner_of_lent_nodes_who_had_no_part_before_has_it_alone(database):
    """Nothing of the first charge's accounts is in the second reversal."""
    _, usage = await reversed_(database)
    async with database.begin() as session:
        organisation = (await session.scalars(text("SELECT organisation_id FROM projects"))).one()
        lender = await create_project(session, OrganisationId(organisation), "出借", now=NOW)
        lent = Lent(lender, 1000)
        await add_contract(session, EAST, 5000, person="op", now=NOW, valid_from=NOW - DAY, queue="cpu", lent=lent)
    await decided(database, usage.id, await priced(database))
    await sound(database)
    await taken_back(database, usage.id)
    async with database.begin() as session:
        for code in (owner(lender), payable(EAST), revenue("general"), revenue("industry")):
            assert await store.balance(session, code) == 0
    await sound(database)


@pytest.mark.parametrize("waives", [False, True])
async def test_what_no_rule_covers_leaves_the_list_by_a_persons_word_and_the_month_closes(database, waives):
    opened = await world(database)
    strange = await priced(database, "odd", core_hour=Decimal(0), rule=read_rule(NO_NODES))
    (usage,) = await metered(database, opened, record(queue="odd"), job="job-1")
    assert await charged(database, [usage], {"job-1": strange}) == [None]
    with pytest.raises(Conflict, match="unrated"):
        await closed(database)
    before = await left(database, opened)
    made = await decided(database, usage.id, None if waives else opened.price.id)
    assert made.amount_micro == (0 if waives else rate(400, 0, opened.price, 7500).amount.micro)
    assert (await waiting(database), await left(database, opened)) == ([], before - made.amount_micro)
    await sound(database)
    assert await differences(database, opened, record(queue="odd")) == []
    assert await closed(database)


@pytest.mark.parametrize("waives", [False, True])
async def test_what_is_absurd_is_charged_or_waived_by_a_persons_word(database, waives):
    opened = await world(database)
    (usage,) = await metered(database, opened, record(cores=10**7, elapsed_seconds=4 * 10**6))
    assert await charged(database, [usage]) == [None]
    made = await decided(database, usage.id, None if waives else opened.price.id)
    assert made.amount_micro == 0 if waives else made.amount_micro > MOST_MICRO
    assert await waiting(database) == []
    await sound(database)


async def test_what_no_number_of_the_database_holds_is_not_charged_by_anybody(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record(cores=10**8, elapsed_seconds=10**10))
    assert await charged(database, [usage]) == [None]
    with pytest.raises(Conflict, match="more than any execution"):
        await decided(database, usage.id, opened.price.id)
    assert await waiting(database) == [usage.id]
    await sound(database)


async def test_a_price_that_says_nothing_of_it_either_is_refused_and_nothing_is_kept(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record(queue="nowhere", memory_bytes=5))
    await charged(database, [usage])
    odd = await priced(database, "odd", core_hour=Decimal(0), rule=read_rule(NO_NODES))
    with pytest.raises(Conflict, match="cannot be charged so"):
        await decided(database, usage.id, odd)
    assert await waiting(database) == [usage.id]
    async with database.begin() as session:
        assert (await session.scalars(text("SELECT count(*) FROM usage_decisions"))).one() == 0
    await sound(database)


@pytest.mark.parametrize("waives", [False, True])
async def test_a_revision_that_changes_nothing_that_is_charged_for_leaves_a_persons_word_as_it_is(database, waives):
    if waives:
        opened = await world(database)
        (usage,) = await metered(database, opened, record(queue="nowhere"))
        await charged(database, [usage])
        await decided(database, usage.id, None)
    else:
        opened, usage = await reversed_(database, queue="cpu")
    queue = "nowhere" if waives else "cpu"
    for nodes in ("n[3-4]", "n[5-6]"):
        assert await charged(database, await metered(database, opened, record(queue=queue, node_list=nodes))) == []
    assert await waiting(database) == []
    await sound(database)
    query = text("SELECT reason, person, is_carried FROM usage_decisions WHERE revision = 3")
    async with database.begin() as session:
        said = (await session.execute(query)).one()
    assert tuple(said) == ("the node was slow" if waives else "wrong price", "op", True)
    assert await differences(database, opened, record(queue=queue, node_list="n[5-6]")) == []
    longer = record(queue=queue, node_list="n[5-6]", elapsed_seconds=300)
    assert await charged(database, await metered(database, opened, longer)) == [None]
    assert await waiting(database) == [usage.id]
    await sound(database)
    await decided(database, usage.id, opened.price.id)
    assert await waiting(database) == []
    await sound(database)


async def test_a_revision_of_before_the_quality_of_service_was_kept_says_as_much_as_none(database, owned):
    opened, usage = await reversed_(database)
    async with owned.begin() as session:
        await session.execute(text("SET LOCAL session_replication_role = replica"))
        await session.execute(text("UPDATE usage_revisions SET measured = measured - 'qos'"))
    assert await charged(database, await metered(database, opened, record(node_list="n9"))) == []
    assert await waiting(database) == []
    assert await charged(database, await metered(database, opened, record(node_list="n9", qos="high"))) == [None]
    assert await waiting(database) == [usage.id]


async def test_what_was_reversed_and_carried_on_is_still_charged_anew(database):
    opened, usage = await reversed_(database)
    await charged(database, await metered(database, opened, record(node_list="n9")))
    made = await decided(database, usage.id, opened.price.id)
    assert (made.decision.revision, made.amount_micro) == (3, rate(400, 0, opened.price, 7500).amount.micro)
    await sound(database)


async def test_a_package_pays_of_what_is_charged_anew_and_gets_it_back(database):
    opened = await world(database)
    paid = await sold(database, opened, hours=1)
    (usage,) = await metered(database, opened, record(elapsed_seconds=1800))
    await charged(database, [usage])
    await taken_back(database, usage.id)
    assert (await package_now(database, paid)).used == 0
    await decided(database, usage.id, await priced(database))
    assert (await package_now(database, paid)).used == 3600
    await sound(database)
    await taken_back(database, usage.id)
    assert (await package_now(database, paid)).used == 0
    await sound(database)


async def test_tiers_of_both_prices_count_what_they_charged_alone(database):
    tiers = Tiers((Tier(Decimal(0), Decimal(1)), Tier(Decimal("0.01"), Decimal("0.5"))))
    opened, usage = await reversed_(database)
    price = await priced(database, tiers=tiers)
    assert (await decided(database, usage.id, price)).amount_micro == 10_000 + 22_778
    await sound(database)
    assert await differences(database, opened, record()) == []
    await taken_back(database, usage.id)
    await sound(database)
    await decided(database, usage.id, opened.price.id)
    await sound(database)
    assert await differences(database, opened, record()) == []
    await taken_back(database, usage.id)
    await decided(database, usage.id, price)
    await sound(database)
    assert await differences(database, opened, record()) == []
