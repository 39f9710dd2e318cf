"""Hold the server's own commit at one exact point: where it keeps the native ids that a centre has just given, or a
step of a job's way to another centre, or what is found of what it left."""

import asyncio
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import asyncpg
from demo.stage import Stage

LOCK = 4242
FUNCTION = f"""
CREATE FUNCTION gate() RETURNS trigger LANGUAGE plpgsql SET lock_timeout = 0 AS
$$ BEGIN PERFORM pg_advisory_xact_lock_shared({LOCK}); RETURN NEW; END $$;
"""
TRIGGER = "CREATE TRIGGER gate BEFORE {event} FOR EACH ROW WHEN ({when}) EXECUTE FUNCTION gate()"
REMOVE = "DROP FUNCTION gate() CASCADE"
WAITING = "SELECT count(*) > 0 FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"


class Gate:
    """Closed until `open` is called: the centre has accepted, the worker knows it, and nothing is committed."""

    def __init__(self, runner: asyncio.Runner, connection: asyncpg.Connection) -> None:
        self._runner, self._connection = runner, connection

    def has_caught(self) -> bool:
        return bool(self._runner.run(self._connection.fetchval(WAITING)))

    def open(self) -> None:
        self._runner.run(self._connection.execute("SELECT pg_advisory_unlock_all()"))


def closed_gate(stage: Stage, project: UUID) -> AbstractContextManager[Gate]:
    when = f"OLD.native_id IS NULL AND NEW.native_id IS NOT NULL AND NEW.project_id = '{project}'"
    return _closed(stage, TRIGGER.format(event="UPDATE ON jobs", when=when))


def closed_at_step(stage: Stage, job: UUID, step: str) -> AbstractContextManager[Gate]:
    """Where the job's move comes to this step."""
    when = f"NEW.job_id = '{job}' AND NEW.step = '{step}'"
    return _closed(stage, TRIGGER.format(event="INSERT OR UPDATE ON job_moves", when=when))


def closed_at_remains(stage: Stage, job: UUID, remains: str) -> AbstractContextManager[Gate]:
    """Where this is found of an attempt of the job that was given up."""
    when = f"NEW.job_id = '{job}' AND NEW.remains = '{remains}'"
    return _closed(stage, TRIGGER.format(event="UPDATE ON job_moves", when=when))


@contextmanager
def _closed(stage: Stage, trigger: str) -> Iterator[Gate]:
    with asyncio.Runner() as runner:
        connection = runner.run(asyncpg.connect(stage.database_url))
        runner.run(connection.execute(FUNCTION + trigger))
        runner.run(connection.execute(f"SELECT pg_advisory_lock({LOCK})"))
        gate = Gate(runner, connection)
        try:
            yield gate
        finally:
            gate.open()
            runner.run(connection.execute(REMOVE))
            runner.run(connection.close())
