"""An import, from the file to the ledger: the whole file is checked first, then its records are stored batch by batch.

Each batch is one transaction with how far the import has come, so a killed worker's import goes on where it stood; what
is known already is not counted twice.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.charge import charge
from paracloud.dialects.history import HistoryRecord, accounted
from paracloud.history import store
from paracloud.history.imported import Import, ImportState
from paracloud.history.log import Chunk, chunks
from paracloud.history.sums import Sums
from paracloud.history.zone import require_utc
from paracloud.kit.clock import Clock
from paracloud.kit.database import Database
from paracloud.kit.errors import Broken, Fenced, Invalid, NotFound, ParacloudError, Unreachable
from paracloud.kit.identifiers import BlobId, ProjectId, UnixAccount, new_uuid
from paracloud.kit.text_file import open_lines
from paracloud.metering.collect import collect
from paracloud.metering.usage import Usage

log = structlog.get_logger()

CLAIM = timedelta(seconds=60)
"""A batch takes seconds; whoever is silent for so long is dead."""
KEPT_LINES = 20_000
"""Some 40 MiB."""
MOST_CRASHES = 3
"""One after another, without a batch between them: a fourth try would end as they did."""


async def carry_out_next(database: Database, clock: Clock, where: Callable[[BlobId], Path]) -> bool:
    """False where no import waits. A defect of the file refuses the import, and so does an error of our own that comes
    again at each try; what else fails leaves it as it is, for the next try."""
    by, now = new_uuid(), clock.now()
    async with database.begin() as session:
        found = await store.claim(session, by, now, now + CLAIM)
    if found is None:
        return False
    carrying = Carrying(database, clock, found, by)
    try:
        await carrying.run(where(found.sha256))
    except Fenced:
        log.warning("import.lost", id=str(found.id))
    except (Invalid, NotFound) as wrong:
        await carrying.end(ImportState.REFUSED, wrong.en, wrong.zh)
    except Unreachable:
        raise
    except Exception as crash:
        await carrying.crashed(crash)
        raise
    return True


class Carrying:
    """One import, claimed by one worker."""

    def __init__(self, database: Database, clock: Clock, of: Import, by: UUID) -> None:
        self._database, self._clock, self._of, self._by = database, clock, of, by

    async def run(self, file: Path) -> None:
        if self._of.state is not ImportState.STORING:
            sums, kept = await self._check(file)
            self._require_acceptable(sums)
            async with self._database.begin() as session:
                await self._change(session, state=ImportState.STORING.value)
        else:
            kept = None
        if kept is not None:
            await self._store(iter(kept))
        else:
            with _reading(file, self._of) as found:
                await self._store(found)
        await self.end(ImportState.DONE)

    async def end(self, state: ImportState, en: str | None = None, zh: str | None = None) -> None:
        async with self._database.begin() as session:
            ended = self._clock.now()
            await self._change(
                session, state=state.value, reason_en=en, reason_zh=zh, ended_at=ended, claimed_until=None
            )

    async def crashed(self, crash: Exception) -> None:
        """Counted, so that what fails again and again ends."""
        async with self._database.begin() as session:
            crashes = await store.add_crash(session, self._of.id, self._by)
        if crashes >= MOST_CRASHES:
            name = type(crash).__name__
            why = crash if isinstance(crash, ParacloudError) else Broken(f"{name}.", f"{name}。")
            stored = self._of.done
            await self.end(
                ImportState.REFUSED,
                f"{crashes} tries ended with an error: {why.en} The server's log says more (import.failed, "
                f"import.crashed). {stored} records are stored; to import the log again is safe.",
                f"连续 {crashes} 次尝试均出错：{why.zh} 详见服务器日志（import.failed、import.crashed）。"
                f"已入库 {stored} 条；再次导入是安全的。",
            )

    async def _check(self, file: Path) -> tuple[Sums, list[Chunk] | None]:
        """A short file is not read twice: what it told comes back, too."""
        sums = Sums()
        kept: list[Chunk] | None = []
        with _reading(file, self._of) as found:
            while (chunk := await asyncio.to_thread(next, found, None)) is not None:
                self._count(sums, chunk)
                kept = [*kept, chunk] if kept is not None and sums.lines <= KEPT_LINES else None
                async with self._database.begin() as session:
                    await require_utc(session, self._of, self._mine(chunk))
                    await store.add_faults(session, self._of.id, chunk.faults)
                    await self._change(
                        session,
                        state=ImportState.CHECKING.value,
                        lines=sums.lines,
                        records=sums.records,
                        faults=sums.faults,
                        left_out=dict(sums.left_out),
                        unmapped=sums.named(),
                    )
        return sums, kept

    def _mine(self, chunk: Chunk) -> list[HistoryRecord]:
        return [one for one in chunk.records if self._of.owner_of(one) is not None]

    def _count(self, sums: Sums, chunk: Chunk) -> None:
        sums.lines = chunk.lines
        sums.faults += len(chunk.faults)
        sums.left_out.update(chunk.left_out)
        for one in chunk.records:
            if self._of.owner_of(one) is None:
                sums.unmapped[self._of.name_of(one)] += 1
                sums.unmapped_core_seconds[self._of.name_of(one)] += one.cores * one.elapsed_seconds
            else:
                sums.records += 1

    def _require_acceptable(self, sums: Sums) -> None:
        if sums.faults and not self._of.accept_faults:
            raise Invalid(
                f"Lines that were not understood: {sums.faults}; see its faults. Mend the file, or accept them: they "
                "are left out then.",
                f"有 {sums.faults} 行无法理解，详见错误列表。请修正文件，或选择接受（这些行将不入库）。",
            )
        if sums.unmapped and not self._of.leave_out:
            names = ", ".join(name for name in list(sums.named())[:5])
            raise Invalid(
                f"Records that are nobody's: {sums.unmapped.total()}, of {names} … Map these names to projects, or "
                "leave them out.",
                f"有 {sums.unmapped.total()} 条记录不属于任何课题组：{names} 等。"
                "请补充对应关系，或选择不导入这些记录。",
            )

    async def _store(self, found: Iterator[Chunk]) -> None:
        done, at = self._of.done, 0
        while (chunk := await asyncio.to_thread(next, found, None)) is not None:
            mine = self._mine(chunk)
            fresh = mine[max(done - at, 0) :]
            at += len(mine)
            if fresh:
                await self._store_batch(fresh, at)

    async def _store_batch(self, records: Sequence[HistoryRecord], done: int) -> None:
        """`done`: how many records are stored when this batch is; it names the batch, too."""
        counts: Counter[str] = Counter()
        now = self._clock.now()
        async with self._database.begin() as session:
            for owners, some in self._by_owners(records):
                told = [accounted(one) for one in some]
                got = await collect(session, self._of.centre, told, owners=owners, claims={}, now=now)
                counts.update(new=len(got.new), corrected=len(got.corrected), known=got.known)
                counts["repeated"] += len(told) - len(got.new) - len(got.corrected) - got.known
                counts["unrated"] += await self._charge(
                    session, [*got.new, *got.corrected], f"{done}.{counts['parts']}"
                )
                counts["parts"] += 1
            ends = [one.ended_at for one in records]
            self._of = await self._advance(session, done, counts, (min(ends), max(ends)))

    async def _charge(self, session: AsyncSession, usages: Sequence[Usage], batch: str) -> int:
        """How many of them are unrated."""
        charged = await charge(session, usages, pinned={}, now=self._clock.now(), together=f"{self._of.id}.{batch}")
        return sum(one.amount_micro is None for one in charged)

    async def _advance(
        self, session: AsyncSession, done: int, counts: Counter[str], span: tuple[datetime, datetime]
    ) -> Import:
        of = self._of
        await self._change(
            session,
            done=done,
            earliest=min(of.earliest or span[0], span[0]),
            latest=max(of.latest or span[1], span[1]),
            crashes=0,
            new=of.new + counts["new"],
            corrected=of.corrected + counts["corrected"],
            known=of.known + counts["known"] + counts["repeated"],
            unrated=of.unrated + counts["unrated"],
        )
        found = await store.one(session, of.id)
        return found or of

    async def _change(self, session: AsyncSession, **values: object) -> None:
        """Fenced where another has claimed the import: then nothing of the transaction stays."""
        kept = {"claimed_until": self._clock.now() + CLAIM, **values}
        if not await store.change(session, self._of.id, self._by, **kept):
            raise Fenced("Another worker carries this import out.", "该导入已由其他进程执行。")

    def _by_owners(
        self, records: Sequence[HistoryRecord]
    ) -> Iterator[tuple[dict[UnixAccount, ProjectId], list[HistoryRecord]]]:
        """Parts in which each Unix user belongs to one project: all at once, where users are what is mapped."""
        left = list(records)
        while left:
            owners: dict[UnixAccount, ProjectId] = {}
            part: list[HistoryRecord] = []
            rest: list[HistoryRecord] = []
            for one in left:
                project = self._of.owners[self._of.name_of(one)]
                is_here = owners.setdefault(UnixAccount(one.user), project) == project
                (part if is_here else rest).append(one)
            yield owners, part
            left = rest


@contextmanager
def _reading(file: Path, of: Import) -> Iterator[Iterator[Chunk]]:
    with open_lines(file, name=of.name) as lines:
        yield chunks(lines, of.format, of.created_at)
