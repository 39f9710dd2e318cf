"""Receipts for what was charged, each once, at the end of its project's chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_receipts
from paracloud.billing.receipt import FIRST, Signed, Signer
from paracloud.billing.receipted import content_of
from paracloud.kit.identifiers import ProjectId

BATCH = 1000


async def issue_receipts(session: AsyncSession, signer: Signer, project: ProjectId, *, now: datetime) -> int:
    """How many were issued: up to a batch. Call it again while it issues so many. The first call begins the chain."""
    await store_receipts.lock_chain(session, project)
    await store_receipts.begin_chain(session, project, now)
    charged = await store_receipts.due(session, project, BATCH)
    if not charged:
        return 0
    await store_receipts.register(session, signer.key, signer.public, now)
    number, previous = await store_receipts.last(session, project) or (0, FIRST)
    made: list[tuple[Row[*tuple[Any, ...]], str, Signed]] = []
    for at, row in enumerate(charged, number + 1):
        signed = signer.sign(content_of(project, at, previous, row))
        made.append((row, previous, signed))
        previous = signed.hash
    await store_receipts.add(session, project, number + 1, made, now)
    return len(made)


async def continue_chains(session: AsyncSession, signer: Signer, *, now: datetime) -> bool:
    """A batch for one project whose chain has begun; false where none is behind."""
    project = await store_receipts.behind(session)
    return project is not None and await issue_receipts(session, signer, project, now=now) > 0


async def receipts_page(session: AsyncSession, project: ProjectId, start: int, *, limit: int = BATCH) -> list[Signed]:
    """From this number on."""
    return await store_receipts.page(session, project, start, limit)


async def receipt_keys(session: AsyncSession, signer: Signer) -> dict[str, str]:
    """Every public key that ever signed, and the one that signs now."""
    return await store_receipts.keys(session) | {signer.key: signer.public}
