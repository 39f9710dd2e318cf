"""The application's role has what is declared for each table, and nothing more, however often it is given."""

import asyncpg
import pytest
from sqlalchemy import text

from paracloud.kit.database import APP_ROLE, Database
from paracloud.kit.errors import Forbidden
from paracloud.migrations.grants import GRANTS
from paracloud.migrations.role import establish
from paracloud.migrations.tables import all_tables

HAS = """
    SELECT c.relname, p.privilege_type FROM pg_class AS c, aclexplode(c.relacl) AS p
     WHERE c.relnamespace = current_schema()::regnamespace AND p.grantee IN (0, :role ::regrole)
"""
HAS_COLUMNS = """
    SELECT c.relname, a.attname, p.privilege_type FROM pg_class AS c
      JOIN pg_attribute AS a ON a.attrelid = c.oid, aclexplode(a.attacl) AS p
     WHERE c.relnamespace = current_schema()::regnamespace AND p.grantee IN (0, :role ::regrole)
"""
OWNS = """
    SELECT count(*) FROM pg_shdepend WHERE refobjid = :role ::regrole AND deptype = 'o'
"""
MAY = """
    SELECT has_schema_privilege(:role, current_schema(), 'CREATE'),
           has_database_privilege(:role, current_database(), 'CREATE'),
           has_database_privilege(:role, current_database(), 'TEMPORARY'),
           has_parameter_privilege(:role, 'session_replication_role', 'SET'),
           has_function_privilege(:role, 'postings_balance()', 'EXECUTE')
"""


async def rows(database: Database, query: str) -> set[tuple[object, ...]]:
    async with database.begin() as session:
        return {tuple(row) for row in await session.execute(text(query.replace(":role", f"'{APP_ROLE}'")))}


def test_every_table_says_what_the_application_may_do_with_it() -> None:
    tables = all_tables().tables
    assert GRANTS.keys() == tables.keys()
    for name, grant in GRANTS.items():
        assert set(grant.update) <= set(tables[name].columns.keys()), name


async def test_the_role_has_what_is_declared_and_nothing_more(owned: Database) -> None:
    words = {(name, "SELECT") for name in GRANTS} | {(name, "INSERT") for name in GRANTS}
    words |= {(name, "DELETE") for name, grant in GRANTS.items() if grant.may_delete}
    assert await rows(owned, HAS) == words
    assert await rows(owned, HAS_COLUMNS) == {
        (name, column, "UPDATE") for name, grant in GRANTS.items() for column in grant.update
    }
    assert await rows(owned, OWNS) == {(0,)}
    assert await rows(owned, MAY) == {(False,) * 5}


async def test_what_was_given_by_hand_is_taken_back_at_the_next_migration(owned: Database) -> None:
    before = await rows(owned, HAS), await rows(owned, HAS_COLUMNS)
    async with owned.engine.begin() as connection:
        for given in (
            "GRANT ALL ON charges",
            "GRANT UPDATE (balance_micro) ON ledger_accounts",
            "GRANT SELECT ON alembic_version",
            "GRANT CREATE ON SCHEMA public",
        ):
            await connection.execute(text(f"{given} TO {APP_ROLE}"))
        await connection.run_sync(establish)
    assert (await rows(owned, HAS), await rows(owned, HAS_COLUMNS)) == before
    assert await rows(owned, MAY) == {(False,) * 5}


@pytest.mark.parametrize("too_much", ["SUPERUSER", "CREATEROLE", "BYPASSRLS"])
async def test_a_role_that_may_do_more_than_its_grants_is_refused(owned: Database, too_much: str) -> None:
    async with owned.engine.connect() as connection:
        await connection.execute(text(f"ALTER ROLE {APP_ROLE} {too_much}"))
        with pytest.raises(Forbidden, match="more than its grants"):
            await connection.run_sync(establish)


async def test_a_role_that_is_a_member_of_another_is_refused(owned: Database) -> None:
    async with owned.engine.connect() as connection:
        await connection.execute(text(f"GRANT pg_write_all_data TO {APP_ROLE}"))
        with pytest.raises(Forbidden, match="more than its grants"):
            await connection.run_sync(establish)


async def test_an_owner_who_may_not_make_the_role_is_told_who_must(owned: Database) -> None:
    async with owned.engine.connect() as connection:
        await connection.execute(text("CREATE ROLE plain_owner"))
        await connection.execute(text("SET LOCAL ROLE plain_owner"))
        with pytest.raises(Forbidden, match="As the database's administrator"):
            await connection.run_sync(establish)


async def test_a_password_that_could_end_its_quotes_is_refused(owned: Database) -> None:
    async with owned.engine.connect() as connection:
        with pytest.raises(ValueError, match="hexadecimal"):
            await connection.run_sync(establish, "'; DROP TABLE charges; --")


async def test_whoever_logs_in_as_the_owner_acts_as_the_application_all_the_same(owner_url: str) -> None:
    database = Database.connect(owner_url)
    try:
        async with database.begin() as session:
            assert (await session.execute(text("SELECT current_user"))).scalar_one() == APP_ROLE
        async with database.listen("paracloud_jobs") as queue:
            assert queue.empty()
    finally:
        await database.close()


async def test_the_application_logs_in_by_itself_and_cannot_become_the_owner(database_url: str, owner_url: str) -> None:
    if database_url == owner_url:
        pytest.skip("on a server of somebody else's the role has no login")
    own = await asyncpg.connect(database_url)
    try:
        assert await own.fetchval("SELECT session_user") == APP_ROLE
        owner = owner_url.partition("://")[2].partition(":")[0]
        for words in (f"SET ROLE {owner}", f"SET SESSION AUTHORIZATION {owner}"):
            with pytest.raises(asyncpg.InsufficientPrivilegeError):
                await own.execute(words)
    finally:
        await own.close()
