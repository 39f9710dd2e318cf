"""Usage that costs nothing by a person's word, whether its charge was taken back or it was waived, and what becomes of
that word when the centre changes the record: it holds on where nothing that is charged for has changed."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_decisions
from paracloud.billing.charges import Before, Unrated
from paracloud.billing.decide import REVERSED, WAIVED
from paracloud.billing.decision import Decision
from paracloud.kit.identifiers import UsageId
from paracloud.metering.listing import measured_at
from paracloud.metering.usage import Usage, costs_alike


async def due_of(
    session: AsyncSession,
    usages: Sequence[Usage],
    before: Mapping[UsageId, Before],
    decided: Collection[UsageId],
    now: datetime,
) -> tuple[list[Usage], dict[UsageId, Unrated]]:
    """What is to be charged: neither charged in this revision nor waived; and which of that waits for a person's new
    word, with the reason. What still costs nothing is left out, and kept as such."""
    words = await store_decisions.newest(session, [usage.id for usage in usages])
    due = [usage for usage in usages if _is_due(usage, before.get(usage.id), words.get(usage.id))]
    standing = [usage for usage in due if usage.id not in decided]
    kept, waiting = await _carry_on(session, standing, before, words, now)
    return [usage for usage in due if usage.id not in kept], waiting


def _is_due(usage: Usage, before: Before | None, word: Decision | None) -> bool:
    is_charged = before is not None and before.revision >= usage.revision
    return not is_charged and not (word is not None and word.waives and word.revision >= usage.revision)


async def _carry_on(
    session: AsyncSession,
    due: Sequence[Usage],
    before: Mapping[UsageId, Before],
    words: Mapping[UsageId, Decision],
    now: datetime,
) -> tuple[Collection[UsageId], dict[UsageId, Unrated]]:
    standing = {usage: at for usage in due if (at := _stands_at(before.get(usage.id), words.get(usage.id))) is not None}
    if not standing:
        return (), {}
    figures = await measured_at(session, [(usage.id, at) for usage, at in standing.items()])
    alike = [usage for usage, at in standing.items() if costs_alike(usage, figures[usage.id, at])]
    taken_back = await store_decisions.reversals(session, [usage.id for usage in alike])
    said = {usage: words[usage.id] if _is_waived(usage, before, words) else taken_back[usage.id] for usage in alike}
    carried = [replace(word, revision=usage.revision, at=now, is_carried=True) for usage, word in said.items()]
    await store_decisions.add(session, carried)
    kept = {one.usage for one in carried}
    waiting = {
        usage.id: WAIVED if _is_waived(usage, before, words) else REVERSED for usage in standing if usage.id not in kept
    }
    return kept, waiting


def _stands_at(before: Before | None, word: Decision | None) -> int | None:
    """The newest revision that costs nothing by a person's word; None: no such word, or it was charged after it."""
    if _waives_after(before, word):
        return word.revision if word is not None else None
    return before.revision if before is not None and before.is_reversed else None


def _is_waived(usage: Usage, before: Mapping[UsageId, Before], words: Mapping[UsageId, Decision]) -> bool:
    return _waives_after(before.get(usage.id), words.get(usage.id))


def _waives_after(before: Before | None, word: Decision | None) -> bool:
    """A waiver of what was reversed may have the revision of the reversal."""
    if word is None or not word.waives:
        return False
    return (
        before is None or word.revision > before.revision or (before.is_reversed and word.revision == before.revision)
    )
