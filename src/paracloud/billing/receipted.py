"""What a receipt says of a charge: all that its amounts can be reckoned again from (`reckon_receipt`). Pure."""

from decimal import Decimal
from typing import Any

from sqlalchemy import Row

from paracloud.billing.rate import by_rate
from paracloud.billing.tiers import read_tiers
from paracloud.dialects.resources import had
from paracloud.kit.identifiers import ProjectId


def content_of(project: ProjectId, number: int, previous: str, row: Row[*tuple[Any, ...]]) -> dict[str, object]:
    """What the customer was charged, for what, at which price: numbers of money and hours as text. What the centre gets
    of it is not the customer's business. `resources` only where there were any, `unsaid` only where nobody told a
    figure."""
    used = row.measured
    resources, unsaid = had(used.get("resources", {})), used.get("unsaid", [])
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
        "phase": used["phase"],
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
        **({"unsaid": sorted(unsaid)} if unsaid else {}),
        "price": str(row.price_id),
        "product_line": row.product_line,
        "core_hour": f"{row.core_hour:f}",
        "card_hour": None if row.card_hour is None else f"{row.card_hour:f}",
        "rule": row.rule,
        "tiers": row.tiers,
        "dedicated": row.dedication_id is not None,
        "dedicated_seconds": row.dedicated_seconds,
        "list_micro": str(row.list_micro),
        "tiered": _tiered(row),
        "volume_month": None if row.volume_month is None else f"{row.volume_month:%Y-%m}",
        "amount_micro": str(row.amount_micro),
        "package_micro": str(row.package_micro),
        "credit_micro": str(row.credit_micro),
        "currency": row.currency,
        "period": f"{row.period:%Y-%m}",
        "charged_at": row.charged_at.isoformat(),
        "reason": row.reason,
        "before": _before(row),
        "paid": row.paid,
    }


def _tiered(row: Row[*tuple[Any, ...]]) -> list[dict[str, str]] | None:
    """How much of the list amount has which factor. Not where in the month it began: of an organisation's tiers that
    would tell its other projects' spending."""
    if row.volume_micro is None or row.is_reversal:
        return None
    parts = by_rate(read_tiers(row.tiers), row.volume_micro, row.list_micro)
    return [
        {"factor": f"{factor:f}", "list_micro": f"{Decimal(micro.numerator) / micro.denominator:f}"}
        for factor, micro in parts.items()
    ]


def _before(row: Row[*tuple[Any, ...]]) -> dict[str, str] | None:
    """What the usage had been charged since it was charged first or anew; None: nothing."""
    if row.amount_before is None:
        return None
    return {
        "list_micro": str(row.list_before),
        "amount_micro": str(row.amount_before),
        "package_micro": str(row.package_before),
        "credit_micro": str(row.credit_before),
        "core_seconds": str(row.core_seconds_before),
        "card_seconds": str(row.card_seconds_before),
    }
