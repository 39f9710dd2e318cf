"""Every query on the ledger."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache

from sqlalchemy import ColumnElement, Select, Text, Uuid, any_, bindparam, exists, func, literal, select, text
from sqlalchemy.dialects.postgresql import ARRAY, insert
from sqlalchemy.ext.asyncio import AsyncSession
from sqlalchemy.orm import InstrumentedAttribute, aliased
from sqlalchemy.types import BigInteger

from paracloud.billing.entry import HELD, PACKAGE, PAYABLE, WALLET, Entry
from paracloud.billing.tables import ChargeRow, EntryRow, LedgerAccountRow, PostingRow
from paracloud.kit.bulk import put_in, unnested
from paracloud.kit.errors import Conflict
from paracloud.kit.identifiers import EntryId, UsageId

ADD_ENTRIES = text("""
    INSERT INTO ledger_entries (id, key, kind, reference, reason, person, created_at)
    SELECT id, key, kind, reference, reason, person, :now
      FROM unnest(:ids, :keys, :kinds, :references, :reasons, :persons) AS e(id, key, kind, reference, reason, person)
    ON CONFLICT (key) DO NOTHING RETURNING key
""").bindparams(
    bindparam("ids", type_=ARRAY(Uuid)),
    *(bindparam(name, type_=ARRAY(Text)) for name in ("keys", "kinds", "references", "reasons", "persons")),
)
POSTING = (PostingRow.entry_id, PostingRow.account_id, PostingRow.micro)
ORDER = [WALLET, HELD, PACKAGE, PAYABLE]
"""The kinds of accounts in the order in which everybody locks, so that nobody waits in a ring: a project's, a centre's,
then the platform's own, which all need and which are so locked for the shortest time; of a kind, by code."""
OPENED = (LedgerAccountRow.code, LedgerAccountRow.currency, LedgerAccountRow.balance_micro)


@dataclass(frozen=True, slots=True)
class LockedAccount:
    """An account as it is while its row is locked."""

    id: int
    currency: str
    balance_micro: int


async def lock_accounts(
    session: AsyncSession, codes: Mapping[str, str], *, also: Collection[str] = ()
) -> dict[str, int]:
    """Ids by code; see `locked`."""
    return {code: account.id for code, account in (await locked(session, codes, also=also)).items()}


async def locked(
    session: AsyncSession, codes: Mapping[str, str], *, also: Collection[str] = ()
) -> dict[str, LockedAccount]:
    """`codes` gives the currency of each, `also` is locked where it is there. What is not there yet is opened, kind by
    kind in the order of locking: whoever opened an account before those that come first would wait out of order.
    Conflict for an account in another currency."""
    found = await _lock(session, codes, also)
    if not found and codes:
        kinds = sorted({_kind(code) for code in (*codes, *also)}, key=lambda kind: (_place(kind), kind))
        for kind in kinds:
            needed = {code: currency for code, currency in codes.items() if _kind(code) == kind}
            await _open(session, needed)
            found |= await _lock(session, needed, [code for code in also if _kind(code) == kind])
    for code, account in found.items():
        if account.currency != codes.get(code, account.currency):
            raise Conflict(
                f"{code} is kept in {account.currency}, not in {codes[code]}.",
                f"{code} 以 {account.currency} 记账，不能用 {codes[code]}。",
            )
    return found


async def _open(session: AsyncSession, codes: Mapping[str, str]) -> None:
    if not codes:
        return
    wanted = unnested(OPENED, [(code, currency, 0) for code, currency in sorted(codes.items())])
    is_there = exists().where(LedgerAccountRow.code == wanted.c.code)
    missing = select(*wanted.c).where(~is_there).order_by(wanted.c.code)
    opening = insert(LedgerAccountRow).from_select([one.key for one in OPENED], missing)
    await session.execute(opening.on_conflict_do_nothing())


async def _lock(session: AsyncSession, codes: Collection[str], also: Collection[str]) -> dict[str, LockedAccount]:
    """All of `codes`, with those of `also` that are there; nothing at all where one of `codes` is missing."""
    values = {"needed": sorted(codes), "wanted": sorted({*codes, *also})}
    rows = await session.execute(_locking(), values)
    return {code: LockedAccount(id_, currency, micro) for code, id_, currency, micro in rows.all()}


@cache
def _locking() -> Select[str, int, str, int]:
    of, other = LedgerAccountRow, aliased(LedgerAccountRow)
    needed, wanted = (bindparam(name, type_=ARRAY(Text)) for name in ("needed", "wanted"))
    there = select(func.count()).where(other.code == any_(needed)).scalar_subquery()
    return (
        select(of.code, of.id, of.currency, of.balance_micro)
        .where(of.code == any_(wanted), there == func.cardinality(needed))
        .order_by(*_rank(of.code))
        .with_for_update(of=of)
    )


def _rank(code: InstrumentedAttribute[str]) -> tuple[ColumnElement[int], InstrumentedAttribute[str]]:
    """Kinds that are not in ORDER come last: array_position gives NULL, which sorts so."""
    order = literal(ORDER, ARRAY(Text))
    return func.array_position(order, func.split_part(code, ":", 1), type_=BigInteger), code


def _kind(code: str) -> str:
    return code.partition(":")[0]


def _place(kind: str) -> int:
    return ORDER.index(kind) if kind in ORDER else len(ORDER)


async def add_entries(session: AsyncSession, entries: Sequence[tuple[EntryId, Entry]], now: datetime) -> set[str]:
    values = {
        "now": now,
        "ids": [id_ for id_, _ in entries],
        "keys": [entry.key for _, entry in entries],
        "kinds": [entry.kind for _, entry in entries],
        "references": [entry.reference for _, entry in entries],
        "reasons": [entry.reason for _, entry in entries],
        "persons": [entry.person for _, entry in entries],
    }
    return set((await session.execute(ADD_ENTRIES, values)).scalars())


async def add_postings(session: AsyncSession, postings: Sequence[tuple[EntryId, int, int]]) -> None:
    await put_in(session, POSTING, postings)


async def balance(session: AsyncSession, code: str) -> int:
    """Micro-units; an account that was never posted to holds zero."""
    query = select(LedgerAccountRow.balance_micro).where(LedgerAccountRow.code == code)
    return (await session.execute(query)).scalar_one_or_none() or 0


async def entry(session: AsyncSession, id_: EntryId) -> EntryRow | None:
    return (await session.execute(select(EntryRow).where(EntryRow.id == id_))).scalar_one_or_none()


async def posted(session: AsyncSession, keys: Collection[str]) -> set[str]:
    """Those of the keys that an entry has."""
    return set((await session.scalars(select(EntryRow.key).where(EntryRow.key.in_(keys)))).all())


async def is_reversed(session: AsyncSession, key: str) -> bool:
    """Whether the entry of this key was taken back whole."""
    ids = (await session.scalars(select(EntryRow.id).where(EntryRow.key == key))).all()
    return bool(await posted(session, [f"reverse:{id_}" for id_ in ids]))


async def postings_by_key(session: AsyncSession, key: str) -> dict[str, int]:
    query = (
        select(LedgerAccountRow.code, PostingRow.micro)
        .join(PostingRow, PostingRow.account_id == LedgerAccountRow.id)
        .join(EntryRow, EntryRow.id == PostingRow.entry_id)
        .where(EntryRow.key == key)
    )
    return {code: micro for code, micro in (await session.execute(query)).all()}  # noqa: C416  # rows are no pairs to mypy


async def postings_of(session: AsyncSession, id_: EntryId) -> list[tuple[str, str, int]]:
    """Triples of account code, currency and micro-units."""
    query = (
        select(LedgerAccountRow.code, LedgerAccountRow.currency, PostingRow.micro)
        .join(LedgerAccountRow, LedgerAccountRow.id == PostingRow.account_id)
        .where(PostingRow.entry_id == id_)
        .order_by(LedgerAccountRow.code)
    )
    return [(code, currency, micro) for code, currency, micro in (await session.execute(query)).all()]


async def posted_to(session: AsyncSession, first: Mapping[UsageId, int]) -> dict[UsageId, list[str]]:
    """The accounts, by code, that the charges of each usage from its revision `first` on were posted to."""
    wanted = unnested([ChargeRow.usage_id, ChargeRow.revision], list(first.items()))
    query = (
        select(ChargeRow.usage_id, LedgerAccountRow.code)
        .join(wanted, (wanted.c.usage_id == ChargeRow.usage_id) & (wanted.c.revision <= ChargeRow.revision))
        .join(PostingRow, PostingRow.entry_id == ChargeRow.entry_id)
        .join(LedgerAccountRow, LedgerAccountRow.id == PostingRow.account_id)
        .distinct()
        .order_by(ChargeRow.usage_id, LedgerAccountRow.code)
    )
    found: dict[UsageId, list[str]] = {}
    for usage, code in (await session.execute(query)).all():
        found.setdefault(UsageId(usage), []).append(code)
    return found


async def lines(
    session: AsyncSession, codes: Sequence[str], start: datetime, end: datetime
) -> list[tuple[EntryRow, str, int]]:
    """Entries that touched these accounts in [start, end), oldest first, a row for each posting."""
    query = (
        select(EntryRow, LedgerAccountRow.code, PostingRow.micro)
        .join(PostingRow, PostingRow.entry_id == EntryRow.id)
        .join(LedgerAccountRow, LedgerAccountRow.id == PostingRow.account_id)
        .where(LedgerAccountRow.code.in_(codes), EntryRow.created_at >= start, EntryRow.created_at < end)
        .order_by(EntryRow.created_at, EntryRow.id, LedgerAccountRow.code)
    )
    return [(row, code, micro) for row, code, micro in (await session.execute(query)).all()]


async def sum_before(session: AsyncSession, codes: Sequence[str], start: datetime) -> int:
    query = (
        select(func.coalesce(func.sum(PostingRow.micro), 0))
        .join(EntryRow, EntryRow.id == PostingRow.entry_id)
        .join(LedgerAccountRow, LedgerAccountRow.id == PostingRow.account_id)
        .where(LedgerAccountRow.code.in_(codes), EntryRow.created_at < start)
    )
    return int((await session.execute(query)).scalar_one())
