"""PostgreSQL, reached by SQLAlchemy on asyncpg: one session is one transaction, committed at the edge."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Self
from uuid import UUID

import asyncpg
from sqlalchemy import BigInteger, DateTime, MetaData, Text, Uuid
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from sqlalchemy.ext.asyncio import AsyncEngine, AsyncSession, async_sessionmaker, create_async_engine
from sqlalchemy.orm import DeclarativeBase

from paracloud.kit.errors import Unreachable

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
}
STATEMENT_TIMEOUT_MS = 30_000
LOCK_TIMEOUT_MS = 10_000
IDLE_TIMEOUT_MS = 10_000
"""A program that froze inside a transaction holds its locks no longer than this."""
APP_ROLE = "paracloud_app"
"""The application's own role (migrations.role): it owns nothing, and may do what is declared (migrations.grants)."""
PASSING = ("08", "53", "57P", "57014", "40001", "40P01", "55P03", "25P03")
"""Codes of a server that is lost, stopping, starting, full or busy: the transaction was rolled back, or nobody knows.
Everything else is a defect of ours and must not be tried again."""


class Base(DeclarativeBase):
    """All tables. An `int` is BIGINT, a `datetime` TIMESTAMPTZ, a `str` TEXT: no other meaning exists here."""

    metadata = MetaData(naming_convention=NAMING)
    type_annotation_map = {  # noqa: RUF012  # SQLAlchemy reads it as a plain class attribute
        int: BigInteger,
        str: Text,
        datetime: DateTime(timezone=True),
        UUID: Uuid,
    }


class Database:
    """An engine with its pool. `begin` gives a session whose transaction is committed when the block ends well and
    rolled back otherwise; a lost connection is Unreachable, and then the commit may or may not have happened."""

    def __init__(self, engine: AsyncEngine, role: str | None = None) -> None:
        self.engine, self._role = engine, role
        self._sessions = async_sessionmaker(engine, expire_on_commit=False, autoflush=False)

    @classmethod
    def connect(cls, url: str, *, pool_size: int = 10, role: str | None = APP_ROLE) -> Self:
        """`url` as libpq writes it (postgresql://…); nothing is connected before the first use. Whoever logs in acts as
        `role`; None: as itself."""
        settings = {
            "timezone": "UTC",
            "statement_timeout": str(STATEMENT_TIMEOUT_MS),
            "lock_timeout": str(LOCK_TIMEOUT_MS),
            "idle_in_transaction_session_timeout": str(IDLE_TIMEOUT_MS),
            "jit": "off",
            **_acting(role),
        }
        engine = create_async_engine(
            asyncpg_url(url),
            pool_size=pool_size,
            max_overflow=pool_size,
            pool_timeout=10,
            pool_recycle=1800,
            hide_parameters=True,  # an error's text goes to the log, and parameters hold what is private
            connect_args={"server_settings": settings, "timeout": 10},
        )
        return cls(engine, role)

    @asynccontextmanager
    async def begin(self) -> AsyncIterator[AsyncSession]:
        """Unreachable also where the database gave up for now: a deadlock, a lock or statement that took too long."""
        try:
            async with self._sessions() as session, session.begin():
                await _checked_out(session)
                yield session
        except DBAPIError as error:
            if error.connection_invalidated or _may_pass(error.orig):
                raise _unreachable() from error
            raise

    @asynccontextmanager
    async def listen(self, channel: str) -> AsyncIterator[asyncio.Queue[str]]:
        """Notifications of one channel, as they come. A lost connection ends in silence: they are hints, and whoever
        waits for one also looks again after a while."""
        queue: asyncio.Queue[str] = asyncio.Queue()
        raw: Any = None
        try:
            url = libpq_url(self.engine.url.render_as_string(hide_password=False))
            raw = await asyncpg.connect(url, timeout=10, server_settings=_acting(self._role))
            await raw.add_listener(channel, lambda _connection, _pid, _channel, payload: queue.put_nowait(payload))
        except (OSError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
            if raw is not None:
                raw.terminate()
            raise _unreachable() from error
        try:
            yield queue
        finally:
            raw.terminate()  # nothing is to be said to the server, and a lost connection is as well closed

    async def close(self) -> None:
        await self.engine.dispose()


def asyncpg_url(url: str) -> str:
    """postgres:// and postgresql:// name the same thing; SQLAlchemy wants its driver's name in it."""
    _, separator, rest = url.partition("://")
    if not separator:
        raise ValueError(f"{url!r} is no database URL; write postgresql://user@host/database")
    return f"postgresql+asyncpg://{rest}"


def libpq_url(url: str) -> str:
    return "postgresql://" + url.partition("://")[2]


def violated(error: DBAPIError) -> str:
    """The name of the constraint that a statement violated; nothing where the server named none."""
    return str(getattr(error.orig.__cause__, "constraint_name", None) or "") if error.orig is not None else ""


def _acting(role: str | None) -> dict[str, str]:
    """The session's settings, from its first moment on."""
    return {} if role is None else {"role": role}


async def _checked_out(session: AsyncSession) -> None:
    """Take the connection now: what fails here is the way to the server, what fails later is not."""
    try:
        await session.connection()
    except (OSError, PoolTimeoutError) as error:
        raise _unreachable() from error


def _unreachable() -> Unreachable:
    return Unreachable("The database is busy or does not answer; try again.", "数据库繁忙或没有响应，请稍后重试。")


def _may_pass(error: BaseException | None) -> bool:
    """By the server's own code (PostgreSQL 18, appendix A)."""
    return str(getattr(error, "sqlstate", "") or "").startswith(PASSING)
