"""Read the centre's accounting and settle it: the only thing that charges a job and ends it."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from functools import reduce

import structlog

from paracloud.dialects.records import Accounted, AccountingRecord, Unread
from paracloud.jobs.book import Book, LiveJob, Settled
from paracloud.jobs.outpost import Outpost, Tenure
from paracloud.jobs.state import JobState
from paracloud.jobs.watch import Listing
from paracloud.kit.command import Command
from paracloud.kit.identifiers import JobId, NativeId, SubmitTag, UnixAccount
from paracloud.metering.sift import sift

log = structlog.get_logger()

OVERLAP = timedelta(minutes=2)
"""Records come late; every window begins this much before the end of the last one."""
SWEEP = timedelta(days=2)
"""Now and then so much is read again: for what came later still, and for what was changed."""
SWEEP_EVERY = timedelta(minutes=10)
AHEAD = timedelta(minutes=2)
"""The centre's clock may be ahead of ours; its records are read all the same."""
ASKED_AT_ONCE = 200
BATCH = 2000
"""Records in one transaction: between two, the loop that tends all centres gets its turn (0.3 s, measured)."""
REMEMBERED = 20_000
SHOWN = 500
"""Characters of a row that is not understood."""

_Owner = tuple[NativeId, UnixAccount, SubmitTag | None]
"""Whose a record is. The id alone says nothing: a controller that lost its last jobs gives their ids again."""


class Settlement:
    """One tenure's reading of one centre's accounting. Remembers what it has settled, so that an overlap does not go
    through the book again and again; a restart forgets it, and then the book's own keys make a record count once."""

    def __init__(self, book: Book, outpost: Outpost, tenure: Tenure) -> None:
        self._book, self._outpost, self._tenure = book, outpost, tenure
        self._settled: dict[tuple[str, datetime, int], AccountingRecord] = {}
        self._unread: dict[str, None] = {}
        self._swept_at: datetime | None = None

    async def settle(self, live: Sequence[LiveJob], listing: Listing) -> Settled:
        """`live` and `listing` are what the same round loaded and saw."""
        now = self._outpost.clock.now()
        window = await self._window(now)
        fresh = [record for record in window if self._settled.get(_key(record)) != _plain(record)]
        gone = _gone(live, listing.alive)[:ASKED_AT_ONCE]
        known = {_owner(record) for record in fresh}
        asked = await self._asked([job for job in gone if _owner(job) not in known])
        unread = self._listed([*window.unread, *asked.unread])
        over = {_owner(job) for job in live if self._will_not_run_again(job, listing, now)}
        again = sorted({record.native_id for record in (*fresh, *asked) if _owner(record) not in over})
        settled = await self._settle([*fresh, *asked], again, now)
        if not settled.waiting:
            self._remember(fresh)
        doubted = {_owner(job) for job in gone if (job.native_id, job.account) in unread}
        await self._lose(gone, known | doubted | {_owner(record) for record in asked}, now)
        return settled

    async def _settle(self, records: Sequence[AccountingRecord], alive: Sequence[NativeId], now: datetime) -> Settled:
        parts = [records[at : at + BATCH] for at in range(0, len(records), BATCH)] or [()]
        done = [
            await self._book.settle(self._tenure(), part, alive=alive, read_until=now if part is parts[-1] else None)
            for part in parts
        ]
        return reduce(Settled.__add__, done)

    async def _window(self, now: datetime) -> Accounted:
        accounts = await self._book.accounts(self._tenure())
        if not accounts:
            return Accounted()
        until = await self._book.accounted_until(self._tenure())
        start = now - SWEEP
        if until is not None and self._swept_at is not None and now - self._swept_at < SWEEP_EVERY:
            start = until - OVERLAP
        elif until is not None:
            start = min(start, until - OVERLAP)
        command = self._outpost.dialect.account(start, now + AHEAD, accounts)
        records = await self._ask(command, "settle/window")
        if start <= now - SWEEP:
            self._swept_at = now
        return records

    async def _asked(self, jobs: Sequence[LiveJob]) -> Accounted:
        if not jobs:
            return Accounted()
        return await self._ask(self._outpost.dialect.account_of([job.native_id for job in jobs]), "settle/jobs")

    async def _lose(self, gone: Sequence[LiveJob], answered: set[_Owner], now: datetime) -> None:
        """Only after the listing was without it for the whole patience, and accounting has just answered without it: a
        row of its own that is not understood is an answer too."""
        lost: list[JobId] = [job.job for job in gone if _owner(job) not in answered and self._is_long_gone(job, now)]
        if lost:
            await self._book.lose(self._tenure(), lost)

    def _will_not_run_again(self, job: LiveJob, listing: Listing, now: datetime) -> bool:
        """After its node was lost. The record of a later run may still be on its way, also when the listing has
        forgotten the job, or when its native id was not known yet as the round began."""
        return job.native_id in listing.failed or self._is_long_gone(job, now)

    def _is_long_gone(self, job: LiveJob, now: datetime) -> bool:
        if job.state is not JobState.VANISHED or job.absent_since is None:
            return False
        return now - job.absent_since >= self._outpost.patience

    def _listed(self, rows: Sequence[Unread]) -> set[tuple[NativeId | None, UnixAccount | None]]:
        """Whose they are. Each is told once; that nobody was charged by it is a difference of its day
        (`reconcile_day`)."""
        for row in rows:
            if row.raw not in self._unread:
                log.warning("accounting.unread", centre=self._outpost.centre, why=row.en, row=row.raw[:SHOWN])
                self._unread[row.raw] = None
        while len(self._unread) > REMEMBERED:
            del self._unread[next(iter(self._unread))]
        return {(row.native_id, row.account) for row in rows}

    async def _ask(self, command: Command[Accounted], purpose: str) -> Accounted:
        told = await self._outpost.ask(self._outpost.service_account, command, self._tenure, purpose=purpose)
        return sift(told, self._outpost.clock.now())

    def _remember(self, records: Sequence[AccountingRecord]) -> None:
        for record in records:
            self._settled[_key(record)] = _plain(record)
        while len(self._settled) > REMEMBERED:
            del self._settled[next(iter(self._settled))]


def _gone(live: Sequence[LiveJob], alive: Collection[NativeId]) -> list[LiveJob]:
    """Jobs that the listing shows no more, or as ended: those absent the longest first. One that vanished is gone also
    where another job has its id now."""
    gone = [job for job in live if job.native_id not in alive or job.state is JobState.VANISHED]
    return sorted(gone, key=lambda job: (job.absent_since is None, str(job.absent_since), job.native_id))


def _owner(of: AccountingRecord | LiveJob) -> _Owner:
    return of.native_id, of.account, of.tag


def _plain(record: AccountingRecord) -> AccountingRecord:
    """Without the row as it came: every command's own nonce stands in it."""
    return replace(record, raw="")


def _key(record: AccountingRecord) -> tuple[str, datetime, int]:
    return record.record_id, record.submitted_at, record.restart_count
