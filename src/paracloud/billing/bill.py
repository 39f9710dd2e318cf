"""What one job was charged for: a line for each execution of each task, and for each later correction."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing import charges
from paracloud.billing.rate import Price
from paracloud.billing.rule_text import read_rule
from paracloud.kit.identifiers import PriceVersionId, ProjectId, UsageId
from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class BillLine:
    """`revision` above 1 is a correction, and `amount` the difference that it made."""

    usage: UsageId
    revision: int
    price: Price
    amount: Money
    charged_at: datetime


async def bill(session: AsyncSession, projects: Sequence[ProjectId], reference: str) -> list[BillLine]:
    """Empty for a job that was not charged, and for one of another project. Duplicates, the platform's own cost, are
    not on it."""
    return [
        BillLine(
            usage=UsageId(row.usage_id),
            revision=row.revision,
            price=Price(
                PriceVersionId(row.price_id),
                row.product_line,
                Decimal(row.core_hour),
                Decimal(row.card_hour),
                row.currency,
                None if row.rule is None else read_rule(row.rule),
            ),
            amount=Money(row.amount_micro, row.currency),
            charged_at=row.charged_at,
        )
        for row in await charges.of_reference(session, projects, reference)
    ]
