"""What the application has no right to do to the ledger: reads and writes beyond its grants, and guards lifted."""

# ruff: noqa: S608  # forged SQL is the point

from paracloud.migrations.grants import GRANTS
from paracloud.migrations.tables import all_tables

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
