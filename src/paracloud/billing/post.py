"""The one way to put entries into the ledger."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store
from paracloud.billing.entry import Entry
from paracloud.kit.identifiers import EntryId, new_uuid


async def post(
    session: AsyncSession, entries: Sequence[Entry], *, now: datetime, locked: Mapping[str, int] | None = None
) -> dict[str, EntryId]:
    """Post all of them in few statements, whatever their number. An entry whose key exists already is left out; the
    others' ids come back by key. Accounts are opened at their first posting and locked in one order that all posters
    keep; `locked` are the ids of those that are posted to, where this transaction has locked them before. Conflict for
    an account that is kept in another currency."""
    moving = [entry for entry in entries if any(entry.postings.values())]
    if not moving:
        return {}
    codes = {code: entry.currency for entry in moving for code, micro in entry.postings.items() if micro}
    accounts = locked if locked is not None else await store.lock_accounts(session, codes)
    ids = {entry.key: EntryId(new_uuid()) for entry in moving}
    fresh = await store.add_entries(session, [(ids[entry.key], entry) for entry in moving], now)
    postings = [
        (ids[entry.key], accounts[code], micro)
        for entry in moving
        if entry.key in fresh
        for code, micro in entry.postings.items()
        if micro
    ]
    await store.add_postings(session, postings)
    return {key: ids[key] for key in fresh}
