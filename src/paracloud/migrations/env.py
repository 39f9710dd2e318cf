"""Alembic's environment: one asyncpg connection, one transaction, one migrator at a time."""

import asyncio

from alembic import context
from sqlalchemy import Connection, pool, text
from sqlalchemy.ext.asyncio import create_async_engine

from paracloud.migrations.role import establish
from paracloud.migrations.tables import all_tables

MIGRATION_LOCK = 7_305_001
"""Any number that nobody else uses for an advisory lock: it holds back a second migrator, nothing more."""


def _run(connection: Connection) -> None:
    connection.execute(text("SET lock_timeout = 0"))  # it would end the wait for another migrator too
    connection.execute(text(f"SELECT pg_advisory_lock({MIGRATION_LOCK})"))
    connection.execute(text(f"SET lock_timeout = {int(context.config.get_main_option('lock_timeout_ms', '5000'))}"))
    connection.commit()
    context.configure(connection=connection, target_metadata=all_tables(), compare_type=True)
    try:
        with context.begin_transaction():
            context.run_migrations()
            establish(connection, context.config.attributes.get("app_password"))
    finally:
        connection.execute(text(f"SELECT pg_advisory_unlock({MIGRATION_LOCK})"))
        connection.commit()


async def _online() -> None:
    url = context.config.get_main_option("sqlalchemy.url")
    assert url is not None  # noqa: S101
    engine = create_async_engine(url, poolclass=pool.NullPool)
    async with engine.connect() as connection:
        await connection.run_sync(_run)
    await engine.dispose()


asyncio.run(_online())
