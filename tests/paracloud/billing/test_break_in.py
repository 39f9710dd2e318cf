"""Whoever can run SQL of his own as the application breaks none of the ledger's promises: each try is refused with its
reason, and nothing is changed after it."""

# ruff: noqa: S608  # forged SQL is the point

import asyncio
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, IntegrityError
from tests.paracloud.billing.builders import NOW, World, charged, metered, record, sold, sound, world
from tests.paracloud.contents import contents

from paracloud.billing.close_period import close_period
from paracloud.billing.decide_usage import decide_usage
from paracloud.billing.end_package import end_package
from paracloud.billing.hold import hold, release
from paracloud.kit.database import Database
from paracloud.kit.money import Money
from paracloud.migrations.grants import GRANTS
from paracloud.migrations.tables import all_tables
from paracloud.settlement.answer_settlement import answer_dispute, confirm, open_dispute, pay
from paracloud.settlement.state_settlements import state_settlements

JUNE = date(2026, 6, 1)
JULY = datetime(2026, 7, 1, 1, tzinfo=UTC)
ID, OTHER = "'00000000-0000-7000-8000-000000000001'", "'00000000-0000-7000-8000-000000000002'"
ENTRY = f"INSERT INTO ledger_entries (id, key, kind, created_at) VALUES ({ID}, 'forged', 'top-up', now())"
WALLET = "SELECT id FROM ledger_accounts WHERE code LIKE 'wallet:%'"
REVENUE = "SELECT id FROM ledger_accounts WHERE code = 'revenue:general'"
HELD = "SELECT id FROM ledger_accounts WHERE code LIKE 'held:%'"
DOLLARS = "INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('revenue:us', 'USD', 0)"
TWO_MORE = (
    "INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('wallet:x', 'CNY', 0), ('revenue:x', 'CNY', 0)"
)


def posting(account: str, micro: str, entry: str = ID) -> str:
    return f"INSERT INTO ledger_postings SELECT {entry}, ({account}), {micro}"


def both(micro: str, entry: str = ID) -> str:
    return f"INSERT INTO ledger_postings VALUES ({entry}, ({WALLET}), {micro}), ({entry}, ({REVENUE}), -({micro}))"


def charge_again(changes: str) -> str:
    return (
        "INSERT INTO charges SELECT (jsonb_populate_record(NULL::charges, to_jsonb(one) || "
        f"'{changes}')).* FROM charges AS one WHERE period = '2026-06-01' LIMIT 1"
    )


UNBALANCED = {
    "an amount from nowhere": ([ENTRY, posting(WALLET, "5")], "must sum to zero"),
    "an amount that is lost on its way": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, ({WALLET}), 5), ({ID}, ({REVENUE}), -4)"],
        "must sum to zero",
    ),
    "one currency for another": (
        [DOLLARS, ENTRY, f"INSERT INTO ledger_postings SELECT {ID}, id, CASE currency WHEN 'USD' THEN -5 ELSE 5 END "
         "FROM ledger_accounts WHERE code = 'revenue:us' OR code LIKE 'wallet:%'"],
        "must sum to zero",
    ),
    "one half now, the other later": ([ENTRY, posting(WALLET, "5"), posting(REVENUE, "-5")], "must sum to zero"),
    "more for an entry that was posted": (
        [TWO_MORE, "INSERT INTO ledger_postings SELECT (SELECT id FROM ledger_entries WHERE kind = 'top-up'), id, "
         "CASE code WHEN 'wallet:x' THEN 5 ELSE -5 END FROM ledger_accounts WHERE code IN ('wallet:x', 'revenue:x')"],
        "an entry is posted whole",
    ),
    "more for an entry of this transaction": (
        [ENTRY, both("5"), DOLLARS.replace("USD", "CNY"),
         f"INSERT INTO ledger_postings VALUES ({ID}, (SELECT id FROM ledger_accounts WHERE code = 'revenue:us'), 5), "
         f"({ID}, ({HELD}), -5)"],
        "an entry is posted whole",
    ),
    "a key that is taken and posts nothing": ([ENTRY], "posted in its own transaction"),
    "a posting of nothing": ([ENTRY, posting(WALLET, "0")], "ck_ledger_postings_not_zero"),
    "a posting without an entry": ([both("5")], "a posting has an entry"),
    "a posting to no account": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, 0, 5), ({ID}, ({WALLET}), -5)"], "must sum to zero",
    ),
    "a posting to no account beside a whole entry": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, 0, 9), ({ID}, ({WALLET}), 5), ({ID}, ({REVENUE}), -5)"],
        "a posting has an account",
    ),
    "more than is held": (
        [ENTRY, f"INSERT INTO ledger_postings VALUES ({ID}, ({HELD}), -9999999999), ({ID}, ({WALLET}), 9999999999)"],
        "ck_ledger_accounts_held",
    ),
    "an account that is born rich": (
        ["INSERT INTO ledger_accounts (code, currency, balance_micro) VALUES ('wallet:x', 'CNY', 5)"],
        "a balance is the sum of its postings",
    ),
    "an account's number": (["UPDATE ledger_accounts SET id = DEFAULT"], "a balance is the sum of its postings"),
}  # fmt: skip
TWICE = {
    "the same key": (
        [f"INSERT INTO ledger_entries SELECT {ID}, key, kind, reference, reason, person, created_at "
         "FROM ledger_entries LIMIT 1", both("5")],
        "uq_ledger_entries_key",
    ),
    "the same posting": (["INSERT INTO ledger_postings SELECT * FROM ledger_postings"], "pk_ledger_postings"),
    "the same charge": (["INSERT INTO charges SELECT * FROM charges"], "pk_charges"),
    "the same usage": (
        ["INSERT INTO usage SELECT (jsonb_populate_record(NULL::usage, to_jsonb(one) || "
         f"jsonb_build_object('id', {ID}))).* FROM usage AS one LIMIT 1"],
        "uq_usage_centre_record_id_submitted_at_restart_count",
    ),
    "the same hold": (["INSERT INTO holds SELECT * FROM holds"], "pk_holds"),
    "the same word on a usage": (["INSERT INTO usage_decisions SELECT * FROM usage_decisions"], "pk_usage_decisions"),
    "the same hours of a package": (["INSERT INTO package_uses SELECT * FROM package_uses"], "pk_package_uses"),
}  # fmt: skip
NOBODY = OTHER.strip("'")
NOWHERE = {
    f"a charge of {what}": (
        [ENTRY, both("5"), charge_again(f'{{"revision": 9, "period": "2026-07-01", "{column}": "{NOBODY}"}}')],
        f"a charge has {what}",
    )
    for column, what in {
        "usage_id": "a usage",
        "project_id": "a project",
        "price_version_id": "a price",
        "contract_id": "a contract",
        "entry_id": "an entry that is there",
    }.items()
}
MONTHS = {
    "a charge in a closed month": ([charge_again('{"revision": 9}')], "this billing period is closed"),
    "a charge in a month that never was": (
        [charge_again('{"revision": 9, "period": "2026-01-01"}')], "this billing period is closed",
    ),
    "a month before a closed one": (
        ["INSERT INTO billing_periods (period) VALUES ('2026-05-01')"], "a later billing period is closed",
    ),
    "a month opened again": (
        ["UPDATE billing_periods SET closed_at = NULL, closed_by = NULL"], "a closed billing period stays closed",
    ),
    "another person who closed it": (
        ["UPDATE billing_periods SET closed_by = 'nobody' WHERE closed_at IS NOT NULL"], "stays closed",
    ),
    "a month that is none": (
        ["INSERT INTO billing_periods (period) VALUES ('2026-09-02')"], "ck_billing_periods_month",
    ),
}  # fmt: skip
FIGURES = {
    "a balance": (["UPDATE ledger_accounts SET balance_micro = 5"], "permission denied for table ledger_accounts"),
    "a balance, by itself": (["UPDATE ledger_accounts SET balance_micro = balance_micro"], "permission denied"),
    "a balance, in a block": (
        ["DO $$ BEGIN UPDATE ledger_accounts SET balance_micro = 5; END $$"],
        "permission denied",
    ),
    "an account's owner": (["UPDATE ledger_accounts SET code = 'wallet:x'"], "permission denied"),
    "a hold's amount": (["UPDATE holds SET amount_micro = 0"], "a hold only gives"),
    "a hold's ceiling": (["UPDATE holds SET ceiling_micro = 0"], "a hold only gives"),
    "more than a hold has": (
        ["UPDATE holds SET captured_micro = amount_micro + 1 WHERE released_at IS NULL"],
        "ck_holds_within",
    ),
    "less than a hold gave": (["UPDATE holds SET captured_micro = 0 WHERE captured_micro > 0"], "a hold only gives"),
    "a hold released again": (
        ["UPDATE holds SET released_at = NULL WHERE released_at IS NOT NULL"],
        "released once",
    ),
    "a price": (["UPDATE price_versions SET core_hour = 0"], "permission denied for table price_versions"),
    "a price's beginning": (["UPDATE price_versions SET valid_from = now()"], "permission denied"),
    "two prices at once": (
        [
            f"INSERT INTO price_versions SELECT (jsonb_populate_record(NULL::price_versions, to_jsonb(one) || "
            f"jsonb_build_object('id', {ID}))).* FROM price_versions AS one"
        ],
        "two versions in price_versions would hold at the same time",
    ),
    "a centre's share": (["UPDATE contracts SET share_basis_points = 0"], "permission denied for table contracts"),
    "a package's size": (["UPDATE packages SET total = total * 2"], "permission denied for table packages"),
    "a package's price": (["UPDATE packages SET price_micro = 0"], "permission denied for table packages"),
    "more than a package has": (["UPDATE packages SET used = total + 1"], "ck_packages_within"),
    "whose usage it is": (["UPDATE usage SET project_id = gen_random_uuid()"], "permission denied for table usage"),
    "what was used, without a revision": (["UPDATE usage SET cores = 1"], "only the figures of a usage change"),
    "usage that waits for its price": (["DELETE FROM unrated_usage"], "waits for its price until it is charged"),
    "usage that waits, for a word that it has a price": (
        [
            "INSERT INTO usage_decisions SELECT usage_id, revision, (SELECT id FROM price_versions LIMIT 1), false, "
            "'x', 'op', now() FROM unrated_usage",
            "DELETE FROM unrated_usage",
        ],
        "waits for its price until it is charged",
    ),
    "a word without a reason": (
        ["INSERT INTO usage_decisions SELECT id, revision, NULL, false, ' ', 'op', now() FROM usage"],
        "ck_usage_decisions_reason",
    ),
    "a word about nothing": (
        [f"INSERT INTO usage_decisions VALUES ({ID}, 1, NULL, false, 'x', 'op', now())"],
        "fk_usage_decisions_usage_id",
    ),
    "a package that ended, back again": (
        ["UPDATE packages SET closed_at = NULL WHERE closed_at IS NOT NULL"],
        "a package is used, reserved and closed",
    ),
    "a second end of a package": (
        ["INSERT INTO package_ends SELECT * FROM package_ends"],
        "pk_package_ends",
    ),
    "who may do what": (["UPDATE users SET is_operator = true"], "permission denied for table users"),
    "which migrations were made": (["DELETE FROM alembic_version"], "permission denied for table alembic_version"),
}
SETTLED = {
    "a payment taken back": (
        ["UPDATE settlements SET state = 'confirmed', payment = NULL, paid_at = NULL"], "stated to a centre stays",
    ),
    "another transfer": (["UPDATE settlements SET payment = 'T-2'"], "what was stated to a centre stays"),
    "a share of a month": (["UPDATE settlements SET share_micro = 0"], "permission denied for table settlements"),
    "another answer": (["UPDATE disputes SET answer = 'other', adjusted_micro = 9"], "answered once, and stays"),
    "an answer taken back": (
        ["UPDATE disputes SET answer = NULL, answered_by = NULL, answered_at = NULL"], "answered once, and stays",
    ),
    "the same month twice": (
        [f"INSERT INTO settlements SELECT (jsonb_populate_record(NULL::settlements, to_jsonb(one) || "
         f"jsonb_build_object('id', {ID}, 'payment', 'T-2'))).* FROM settlements AS one"],
        "uq_settlements_centre",
    ),
    "the same transfer twice": (
        [f"INSERT INTO settlements SELECT (jsonb_populate_record(NULL::settlements, to_jsonb(one) || "
         f"jsonb_build_object('id', {ID}, 'period', '2026-07-01'))).* FROM settlements AS one"],
        "uq_settlements_payment",
    ),
}  # fmt: skip
RIGHTS = {
    f"{word} {name}": ([statement], f"permission denied for table {name}")
    for name, grant in GRANTS.items()
    for word, statement, is_refused in (
        ("TRUNCATE", f"TRUNCATE {name} CASCADE", True),
        ("DELETE", f"DELETE FROM {name}", not grant.may_delete),
        *(
            (f"UPDATE {one.name}", f'UPDATE {name} SET "{one.name}" = DEFAULT', one.name not in grant.update)
            for one in all_tables().tables[name].columns
        ),
    )
    if is_refused
}
"""Whatever is not declared of a table is refused, of every column."""
GUARDS = {
    "ALTER TABLE ledger_postings DISABLE TRIGGER balance": "must be owner of table",
    "ALTER TABLE charges DISABLE TRIGGER ALL": "must be owner of table",
    "ALTER TABLE holds DROP CONSTRAINT ck_holds_within": "must be owner of table",
    "ALTER TABLE ledger_entries DROP CONSTRAINT uq_ledger_entries_key": "must be owner of table",
    "ALTER TABLE charges ADD COLUMN mine text": "must be owner of table",
    "ALTER TABLE ledger_accounts OWNER TO paracloud_app": "must be owner of table",
    "DROP TRIGGER append_only ON charges": "must be owner of relation",
    "DROP TABLE ledger_postings": "must be owner of table",
    "DROP INDEX uq_ledger_entries_key": "must be owner of index",
    "DROP FUNCTION refuse_change() CASCADE": "must be owner of function",
    "ALTER FUNCTION postings_balance() SECURITY INVOKER": "must be owner of function",
    "ALTER FUNCTION postings_balance() RENAME TO other": "must be owner of function",
    "CREATE TRIGGER mine BEFORE INSERT ON charges FOR EACH ROW EXECUTE FUNCTION refuse_change()": "permission denied",
    "CREATE RULE mine AS ON INSERT TO charges DO INSTEAD NOTHING": "must be owner of table",
    "CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": "permission denied for schema",
    "CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END'":
        "permission denied for schema",
    "CREATE TABLE mine (n int)": "permission denied for schema",
    "CREATE VIEW mine AS SELECT 1": "permission denied for schema",
    "CREATE TEMPORARY TABLE ledger_accounts (id bigint)": "permission denied to create temporary tables",
    "CREATE FUNCTION pg_temp.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'": "permission denied to create temporary",
    "CREATE SCHEMA mine": "permission denied for database",
    "CREATE EXTENSION pageinspect": "permission denied|not available",
    "CREATE ROLE mine": "permission denied to create role",
    "ALTER ROLE paracloud_app SUPERUSER": "permission denied to alter role",
    "GRANT pg_write_all_data TO paracloud_app": "permission denied to grant role",
    "SET session_replication_role = replica": "permission denied to set parameter",
    "SELECT set_config('session_replication_role', 'replica', true)": "permission denied to set parameter",
    "ALTER ROLE paracloud_app SET session_replication_role = replica": "permission denied",
    "SET ROLE pg_write_all_data": "permission denied to set role",
    "COPY ledger_accounts FROM '/etc/passwd'": "permission denied to COPY from a file",
    "COPY (SELECT 1) TO PROGRAM 'true'": "permission denied to COPY to or from an external program",
    "LOCK TABLE charges IN ACCESS EXCLUSIVE MODE": "permission denied for table charges",
}  # fmt: skip


async def treasury(database: Database) -> World:
    """Charges paid by a package and by the wallet, an open hold and a released one, usage without a price and usage
    that was waived, a month that is closed and paid to its centre, and one that is not."""
    opened = await world(database)
    await sold(database, opened, hours=1)
    ended = await sold(database, opened, hours=1)
    async with database.begin() as session:
        for job in ("job-1", "job-2"):
            await hold(session, opened.project, job, Money.parse("1"), now=NOW)
    july = {"submitted_at": NOW, "ended_at": JULY}
    runs = await metered(database, opened, record("1"), record("2", elapsed_seconds=7200), job="job-1")
    await charged(database, [*runs, *await metered(database, opened, record("3", **july))], {"job-1": opened.price.id})
    await charged(database, await metered(database, opened, record("4", queue="unknown", **july)))
    (waived,) = await metered(database, opened, record("5", queue="unknown", **july))
    await charged(database, [waived])
    async with database.begin() as session:
        await end_package(session, ended.id, reason="test", person="op", now=NOW)
        await decide_usage(session, waived.id, None, reason="test", person="op", now=NOW)
    async with database.begin() as session:
        await release(session, ["job-1"], now=NOW)
        assert await close_period(session, JUNE, person="op", now=JULY + timedelta(days=1))
        (stated,) = await state_settlements(session, JUNE, person="op", now=JULY)
        dispute = await open_dispute(session, stated.id, None, reason="test", person="east", now=JULY)
        await answer_dispute(session, dispute.id, text="test", adjustment=Money(5), person="op", now=JULY)
        await confirm(session, stated.id, person="east", now=JULY)
        await pay(session, stated.id, payment="T-1", person="op", now=JULY)
    await sound(database)
    return opened


@pytest.mark.parametrize(
    "tries",
    [UNBALANCED, TWICE, NOWHERE, MONTHS, FIGURES, SETTLED],
    ids=["unbalanced", "twice", "nowhere", "months", "figures", "settled"],
)
async def test_no_word_of_the_application_makes_the_books_wrong(
    database: Database, tries: dict[str, tuple[list[str], str]]
) -> None:
    await treasury(database)
    before = await contents(database)
    for what, (statements, why) in tries.items():
        with pytest.raises(DBAPIError, match=why):  # noqa: PT012  # which of them fails is the database's affair
            async with database.begin() as session:
                for statement in statements:
                    await session.execute(text(statement.replace(":", r"\:")))
            pytest.fail(f"{what} was not refused")
        assert await contents(database) == before, what
    await sound(database)


async def test_no_word_of_the_application_goes_beyond_its_grants(database: Database) -> None:
    await treasury(database)
    before = await contents(database)
    for what, ((statement,), why) in RIGHTS.items():
        with pytest.raises(DBAPIError, match=why):  # noqa: PT012
            async with database.begin() as session:
                await session.execute(text(statement))
            pytest.fail(f"{what} was not refused")
    assert await contents(database) == before


async def test_no_word_of_the_application_lifts_a_guard(database: Database) -> None:
    await treasury(database)
    before = await contents(database)
    for statement, why in GUARDS.items():
        with pytest.raises(DBAPIError, match=why):  # noqa: PT012
            async with database.begin() as session:
                await session.execute(text(statement))
            pytest.fail(f"{statement} was not refused")
        assert await contents(database) == before, statement


async def test_not_even_the_owner_takes_from_postings_and_charges_what_they_refer_to(
    database: Database, owned: Database
) -> None:
    await treasury(database)
    before = await contents(database)
    referred = ("ledger_entries", "ledger_accounts", "usage", "price_versions", "contracts", "projects")
    for table in referred:
        for tried in (f"DELETE FROM {table}", f"TRUNCATE {table} CASCADE"):
            with pytest.raises(DBAPIError, match=r"append-only|keeps what was agreed"):
                async with owned.begin() as session:
                    await session.execute(text(tried))
    for table in referred:
        tried = f"UPDATE {table} SET id = {'DEFAULT' if table == 'ledger_accounts' else ID}"
        with pytest.raises(
            DBAPIError, match=r"append-only|a balance is the sum|only the figures|keeps what was agreed|two versions"
        ):
            async with owned.begin() as session:
                await session.execute(text(tried))
    assert await contents(database) == before


async def test_of_two_who_post_one_key_at_the_same_moment_the_second_waits_and_is_refused(
    database: Database, owned: Database
) -> None:
    await treasury(database)
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")

    async def second() -> None:
        async with database.begin() as session:
            await session.execute(text(ENTRY.replace(ID, OTHER)))

    async with database.begin() as first:
        await first.execute(text(ENTRY))
        await first.execute(text(both("5").replace(":", r"\:")))
        trying = asyncio.create_task(second())
        async with asyncio.timeout(30):
            async with owned.engine.connect() as watching:
                while not (await watching.execute(waiting)).scalar_one():
                    assert not trying.done()
                    await watching.rollback()
    with pytest.raises(IntegrityError, match="uq_ledger_entries_key"):
        await trying
    async with database.begin() as session:
        assert (await session.scalars(text("SELECT sum(micro) FROM ledger_postings"))).one() == 0
