"""What no rule decides a person does, with a reason: at a price version, or that it costs nothing."""

import asyncio
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError
from tests.paracloud.billing.builders import (
    EAST,
    NOW,
    World,
    charged,
    left,
    metered,
    package_now,
    record,
    sold,
    sound,
    world,
)

from paracloud.billing import store
from paracloud.billing.close_period import close_period
from paracloud.billing.contract import Lent, add_contract
from paracloud.billing.decide import MOST_MICRO
from paracloud.billing.decide_usage import Decided, decide_usage
from paracloud.billing.dedication import Dedication, dedicate, new_dedication_id
from paracloud.billing.entry import owner, payable, revenue
from paracloud.billing.period import begins
from paracloud.billing.price import add_price
from paracloud.billing.rate import Price, rate
from paracloud.billing.reconcile import reconcile
from paracloud.billing.reverse import reverse
from paracloud.billing.rule_text import read_rule
from paracloud.billing.tiers import Tier, Tiers
from paracloud.billing.unrated import unrated_page
from paracloud.identity.create_project import create_project
from paracloud.kit.database import Database
from paracloud.kit.errors import Conflict, Invalid, NotFound
from paracloud.kit.identifiers import EntryId, OrganisationId, PriceVersionId, UsageId, new_uuid
from paracloud.kit.money import Money
from paracloud.metering.usage import Usage

JUNE = date(2026, 6, 1)
DAY = timedelta(days=1)
NO_NODES = {"units": {"resource": "cores", "weight": "0.1"}, "free": ["memory_bytes"]}


async def priced(database: Database, queue: str = "special", **changes: object) -> PriceVersionId:
    """A version of the same centre, of a core-hour at 0.5."""
    plain = Price(PriceVersionId(new_uuid()), "industry", Decimal("0.5"), Decimal(0), "CNY")
    wanted = replace(plain, **changes)  # type: ignore[arg-type]
    async with database.begin() as session:
        await add_price(session, EAST, queue, wanted, person="op", now=NOW, valid_from=NOW - DAY)
    return wanted.id


async def decided(database: Database, usage: UsageId, price: PriceVersionId | None, **changes: str) -> Decided:
    words = {"reason": "the node was slow", "person": "op"} | changes
    async with database.begin() as session:
        return await decide_usage(session, usage, price, now=NOW, **words)


async def taken_back(database: Database, usage: UsageId) -> None:
    query = "SELECT entry_id FROM charges WHERE usage_id = :usage AND NOT is_reversal ORDER BY revision DESC LIMIT 1"
    async with database.begin() as session:
        entry = (await session.execute(text(query), {"usage": usage})).scalar_one()
        await reverse(session, EntryId(entry), reason="wrong price", person="op", now=NOW, usage=usage)


async def waiting(database: Database) -> list[UsageId]:
    async with database.begin() as session:
        return [one.usage.id for one in await unrated_page(session)]


async def closed(database: Database) -> bool:
    async with database.begin() as session:
        return await close_period(session, JUNE, person="op", now=datetime(2026, 7, 2, tzinfo=UTC))


async def differences(database: Database, opened: World, *records) -> list[tuple[str, int]]:
    async with database.begin() as session:
        found = await reconcile(
            session, EAST, records, start=begins(JUNE), end=begins(JUNE) + DAY, lent=opened.lent,
            pinned={}, since=begins(JUNE),
        )  # fmt: skip
    assert found.mismatches or found.accounted_micro == found.charged_micro
    return [(one.cause.value, one.micro) for one in found.mismatches]


async def reversed_(database: Database, **changes: object) -> tuple[World, Usage]:
    """Usage of 400 core-seconds that was charged, and taken back whole."""
    opened = await world(database)
    (usage,) = await metered(database, opened, record(**changes))
    await charged(database, [usage])
    await taken_back(database, usage.id)
    return opened, usage


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


async def test_the_same_words_again_change_nothing_and_other_words_are_refused(database):
    opened, usage = await reversed_(database)
    price = await priced(database)
    first = await decided(database, usage.id, price)
    before = await left(database, opened)
    assert await decided(database, usage.id, price) == replace(first, is_new=False)
    for other, words in ((None, {}), (opened.price.id, {}), (price, {"person": "chen"}), (price, {"reason": "else"})):
        with pytest.raises(Conflict, match="What it was charged stands"):
            await decided(database, usage.id, other, **words)
    assert await left(database, opened) == before
    await sound(database)


async def test_a_waiver_is_said_once_and_holds(database):
    _, usage = await reversed_(database)
    first = await decided(database, usage.id, None)
    assert (await decided(database, usage.id, None), first.decision.revision) == (replace(first, is_new=False), 1)
    with pytest.raises(Conflict, match="costs nothing already"):
        await decided(database, usage.id, None, reason="else")
    await sound(database)


@pytest.mark.parametrize("was_charged", [False, True])
async def test_a_waiver_by_mistake_is_revoked_by_a_price(database, was_charged):
    if was_charged:
        opened, usage = await reversed_(database)
        there = record()
    else:
        opened, there = await world(database), record(queue="nowhere")
        (usage,) = await metered(database, opened, there)
        await charged(database, [usage])
    before = await left(database, opened)
    await decided(database, usage.id, None)
    made = await decided(database, usage.id, opened.price.id, reason="the wrong usage was waived")
    assert (made.amount_micro, made.is_new) == (rate(400, 0, opened.price, 7500).amount.micro, True)
    assert await left(database, opened) == before - made.amount_micro
    await sound(database)
    assert await differences(database, opened, there) == []
    await taken_back(database, usage.id)
    assert await left(database, opened) == before
    await decided(database, usage.id, None)
    await sound(database)
    assert await differences(database, opened, there) == []


@pytest.mark.parametrize("second", ["price", "waiver"])
async def test_of_two_who_decide_at_once_one_does(database, second):
    _, usage = await reversed_(database)
    price = await priced(database)
    words = [(price, "op"), (price if second == "price" else None, "chen")]

    async def tried(price: PriceVersionId | None, person: str) -> bool:
        try:
            return (await decided(database, usage.id, price, person=person)).is_new
        except Conflict:
            return False

    assert sorted(await asyncio.gather(*(tried(*word) for word in words))) == [False, True]
    async with database.begin() as session:
        count = "SELECT count(*) FROM charges WHERE NOT is_reversal AND revision > 1"
        assert (await session.scalars(text(count))).one() <= 1
        assert (await session.scalars(text("SELECT count(*) FROM usage_decisions"))).one() == 1
    await sound(database)


async def test_two_who_waive_what_nobody_ever_paid_for_waive_it_once(database):
    """The project has no account yet that they could wait for."""
    opened = await world(database, "0")
    (usage,) = await metered(database, opened, record(queue="nowhere"))
    await charged(database, [usage])
    made = await asyncio.gather(
        *(decided(database, usage.id, None, person=who) for who in ("op", "chen")), return_exceptions=True
    )
    assert sorted(type(one).__name__ for one in made) == ["Conflict", "Decided"]
    await sound(database)


async def test_what_is_charged_and_stands_is_nobodys_to_decide(database):
    opened = await world(database)
    (usage,) = await metered(database, opened, record())
    await charged(database, [usage])
    for price in (opened.price.id, None):
        with pytest.raises(Conflict, match=f"admin reverse-usage {usage.id}"):
            await decided(database, usage.id, price)
    absurd = await metered(database, opened, record(cores=10**8, elapsed_seconds=10**9))
    assert await charged(database, absurd) == [None]
    for price in (opened.price.id, None):
        with pytest.raises(Conflict, match="What it was charged stands"):
            await decided(database, usage.id, price)
    await taken_back(database, usage.id)
    await decided(database, usage.id, None)
    assert await waiting(database) == []
    await sound(database)


async def test_a_price_of_another_centre_or_customer_an_unknown_one_and_no_reason_are_refused(database):
    opened, usage = await reversed_(database)
    async with database.begin() as session:
        organisation = OrganisationId((await session.scalars(text("SELECT organisation_id FROM projects"))).one())
        other = await create_project(session, organisation, "邻组", now=NOW)
    own = await priced(database, "theirs", project=other)
    with pytest.raises(Invalid, match="another customer"):
        await decided(database, usage.id, own)
    with pytest.raises(NotFound):
        await decided(database, usage.id, PriceVersionId(new_uuid()))
    with pytest.raises(NotFound):
        await decided(database, UsageId(new_uuid()), opened.price.id)
    with pytest.raises(Invalid, match="reason"):
        await decided(database, usage.id, opened.price.id, reason=" ")
    await sound(database)


async def test_what_was_decided_is_not_changed_by_the_owner_of_the_tables_either(database, owned):
    _, usage = await reversed_(database)
    await decided(database, usage.id, None)
    for statement in (
        "UPDATE usage_decisions SET person = 'x'",
        "DELETE FROM usage_decisions",
        "TRUNCATE usage_decisions",
    ):
        with pytest.raises(DBAPIError, match="append-only"):
            async with owned.engine.begin() as connection:
                await connection.execute(text(statement))


async def test_a_decision_and_a_closing_that_posts_a_fee_come_one_after_the_other(database, owned):
    """Each takes the month first, and the wallet then; the decision waits in between for one that is given up."""
    opened = await world(database)
    nodes = Dedication(new_dedication_id(), opened.project, EAST, "gpu", 2, Money.parse("30"), 0, begins(JUNE), None)
    async with database.begin() as session:
        await dedicate(session, nodes, person="op", now=NOW, is_unseen=True)
    (usage,) = await metered(database, opened, record("1", queue="unknown"))
    await charged(database, [usage])
    price = await priced(database)
    same = text("INSERT INTO usage_decisions VALUES (:usage, 1, NULL, false, 'x', 'op', now())")
    lock = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    async def waiting_for_locks(many: int) -> None:
        async with asyncio.timeout(30), owned.engine.connect() as watching:
            while (await watching.execute(lock)).scalar_one() < many:
                await watching.rollback()

    async def closed() -> bool:
        async with database.begin() as session:
            return await close_period(session, JUNE, person="op", now=begins(date(2026, 7, 2)))

    async with database.engine.connect() as given_up:
        await given_up.execute(same, {"usage": usage.id})
        deciding = asyncio.create_task(decided(database, usage.id, price))
        await waiting_for_locks(1)
        closing = asyncio.create_task(closed())
        await waiting_for_locks(2)
        await given_up.rollback()
    assert (await deciding).is_new
    assert await closing
    await sound(database)
