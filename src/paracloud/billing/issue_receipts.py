"""Receipts for what was charged, each once, at the end of its project's chain."""

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import store_receipts
from paracloud.billing.receipt import FIRST, Signed, Signer
from paracloud.dialects.resources import had
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
        signed = signer.sign(_body(project, at, previous, row))
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


def _body(project: ProjectId, number: int, previous: str, row: Row[*tuple[Any, ...]]) -> dict[str, object]:
    """What the customer was charged, for what, at which price: numbers of money and hours as text. What the centre gets
    of it is not the customer's business. `resources` only where there were any: what has none reads as ever."""
    used = row.measured
    resources = had(used.get("resources", {}))
    return {
        "number": number,
        "previous": previous,
        "project": str(project),
        "usage": str(row.usage_id),
        "revision": row.revision,
        "is_reversal": row.is_reversal,
        "job": row.reference,
        "centre": row.centre,
        "record": row.record_id,
        "queue": used["queue"],
        "qos": used.get("qos", ""),
        "state": used["native_state"],
        "submitted_at": row.submitted_at.isoformat(),
        "started_at": used["started_at"],
        "ended_at": used["ended_at"],
        "elapsed_seconds": used["elapsed_seconds"],
        "cores": used["cores"],
        "nodes": used["nodes"],
        "gpus": used["gpus"],
        "memory_bytes": used["memory_bytes"],
        **({"resources": resources} if resources else {}),
        "price": str(row.price_id),
        "product_line": row.product_line,
        "core_hour": f"{row.core_hour:f}",
        "card_hour": None if row.card_hour is None else f"{row.card_hour:f}",
        "rule": row.rule,
        "tiers": row.tiers,
        "dedicated": row.dedication_id is not None,
        "dedicated_seconds": row.dedicated_seconds,
        "list_micro": str(row.list_micro),
        "volume_micro": None if row.volume_micro is None else str(row.volume_micro),
        "volume_month": None if row.volume_month is None else f"{row.volume_month:%Y-%m}",
        "amount_micro": str(row.amount_micro),
        "package_micro": str(row.package_micro),
        "credit_micro": str(row.credit_micro),
        "currency": row.currency,
        "period": f"{row.period:%Y-%m}",
        "charged_at": row.charged_at.isoformat(),
        "reason": row.reason,
    }
