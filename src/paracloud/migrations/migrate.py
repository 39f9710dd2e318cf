"""Bring a database to the newest schema, once, whoever else tries at the same time."""

from datetime import timedelta
from pathlib import Path

from alembic import command
from alembic.config import Config

from paracloud.kit.database import asyncpg_url

LOCK_TIMEOUT = timedelta(seconds=5)
"""A change of a table that waits for longer would hold up everybody who comes after it."""


def migrate(url: str, *, lock_timeout: timedelta = LOCK_TIMEOUT, app_password: str | None = None) -> None:
    """`url` is the owner's, as libpq writes it. The application's role gets its grants, and with `app_password` may log
    in. Every other migrator waits as long as it takes; a table's lock that is not had within `lock_timeout` gives up,
    and nothing is changed. Not for a running event loop: it starts one of its own."""
    config = configuration(url, lock_timeout=lock_timeout)
    config.attributes["app_password"] = app_password
    command.upgrade(config, "head")


def configuration(url: str, *, lock_timeout: timedelta = LOCK_TIMEOUT) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", asyncpg_url(url).replace("%", "%%"))
    config.set_main_option("lock_timeout_ms", str(int(lock_timeout.total_seconds() * 1000)))
    return config
