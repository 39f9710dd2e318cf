"""The application's own role: made where it is missing, and given its grants, after every migration."""

import re

from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from paracloud.kit.database import APP_ROLE
from paracloud.kit.errors import Forbidden
from paracloud.migrations.grants import statements

PASSWORD = re.compile(r"[0-9a-f]{32,}")
PLACE = text("SELECT quote_ident(current_schema()), quote_ident(current_database())")
MAKE = f"""
    DO $make$ BEGIN
      IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = '{APP_ROLE}') THEN CREATE ROLE {APP_ROLE} NOLOGIN; END IF;
    EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL;  -- the migrator of another database made it
    END $make$
"""  # noqa: S608  # a constant
JOIN = f"""
    DO $join$ BEGIN
      IF NOT pg_has_role(current_user, '{APP_ROLE}', 'SET') THEN GRANT {APP_ROLE} TO CURRENT_USER; END IF;
    END $join$
"""
TOO_MUCH = text(
    "SELECT rolsuper OR rolcreaterole OR rolbypassrls"
    "    OR EXISTS (SELECT 1 FROM pg_auth_members WHERE member = pg_roles.oid) FROM pg_roles WHERE rolname = :role"
)
MAY_CREATE = text(
    "SELECT has_schema_privilege(:role, current_schema(), 'CREATE')"
    "    OR has_database_privilege(:role, current_database(), 'CREATE, TEMPORARY')"
)
"""Whoever makes a table of the same name in a schema that is looked in first has the guards look there. PostgreSQL only
warns where somebody takes away what is not his to give."""


def establish(connection: Connection, password: str | None = None) -> None:
    """In the migrator's transaction, as the owner of the tables. `password` (hexadecimal) lets the role log in by
    itself; None leaves how it comes in as it is. Forbidden where the owner can neither find nor make the role, and
    where the role could do more than its grants, or make things in this database."""
    try:
        connection.exec_driver_sql(MAKE)
        connection.exec_driver_sql(JOIN)
    except DBAPIError as error:
        raise _cannot_make() from error
    if connection.execute(TOO_MUCH, {"role": APP_ROLE}).scalar_one():
        raise _too_much()
    if password is not None:
        if not PASSWORD.fullmatch(password):
            raise ValueError("a password of the application's role is hexadecimal, of 32 digits or more")
        connection.exec_driver_sql(f"ALTER ROLE {APP_ROLE} LOGIN PASSWORD '{password}'")
    schema, database = connection.execute(PLACE).one()
    _give(connection, schema, database)


def _give(connection: Connection, schema: str, database: str) -> None:
    given = "; ".join(statements(APP_ROLE, schema, database))
    connection.exec_driver_sql(f"DO $grants$ BEGIN {given}; END $grants$")
    if connection.execute(MAY_CREATE, {"role": APP_ROLE}).scalar_one():
        raise _may_create(schema, database)


def _cannot_make() -> Forbidden:
    return Forbidden(
        f"The tables' owner may not make the role {APP_ROLE}, nor act as it. As the database's administrator, run: "
        f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '…'; GRANT {APP_ROLE} TO the owner.",
        f"表的所有者无权创建角色 {APP_ROLE}，也无法以其身份运行。请由数据库管理员执行："
        f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '…'; 并将 {APP_ROLE} 授予（GRANT）所有者。",
    )


def _too_much() -> Forbidden:
    return Forbidden(
        f"The role {APP_ROLE} may do more than its grants: it is a superuser, makes roles, or is a member of another "
        "role. Take that away first.",
        f"角色 {APP_ROLE} 的权限超出授权范围：它是超级用户、可创建角色，或属于其他角色。请先收回这些权限。",
    )


def _may_create(schema: str, database: str) -> Forbidden:
    words = (
        f"REVOKE TEMPORARY, CREATE ON DATABASE {database} FROM PUBLIC; REVOKE CREATE ON SCHEMA {schema} FROM PUBLIC;"
    )
    return Forbidden(
        f"The role {APP_ROLE} may still create things in {database}. As the database's owner, run: {words}",
        f"角色 {APP_ROLE} 仍可在 {database} 中创建对象。请由数据库所有者执行：{words}",
    )
