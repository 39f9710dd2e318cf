"""Bring a database to the newest schema, once, whoever else tries at the same time."""

from pathlib import Path

from alembic import command
from alembic.config import Config

from paracloud.kit.database import asyncpg_url


def migrate(url: str) -> None:
    """`url` as libpq writes it. Every other migrator waits; a table lock that is not had in five seconds gives up."""
    command.upgrade(configuration(url), "head")


def configuration(url: str) -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    config.set_main_option("sqlalchemy.url", asyncpg_url(url).replace("%", "%%"))
    return config
