"""What a database holds, table by table."""

from sqlalchemy import text

from paracloud.kit.database import Database
from paracloud.migrations.tables import all_tables

# ruff: noqa: S608  # names of our own tables
ROWS = "count(*) || ' rows ' || md5(coalesce(string_agg(t::text, '|' ORDER BY t::text), ''))"


async def contents(database: Database) -> dict[str, str]:
    """A digest of every table's rows: two that are equal say that nothing was changed."""
    parts = (f"""SELECT '{name}', {ROWS} FROM "{name}" t""" for name in all_tables().tables)
    async with database.begin() as session:
        rows = (await session.execute(text(" UNION ALL ".join(parts)))).all()
    return dict(rows)
