"""What is set aside for a job: from packages and credits first, then from the wallet, within every limit."""

from dataclasses import dataclass
from datetime import datetime
from math import ceil

from sqlalchemy.ext.asyncio import AsyncSession

from paracloud.billing.cover import Place, Shelf, Unit
from paracloud.billing.funding import credit_line
from paracloud.billing.rate import Most, rate
from paracloud.billing.within_budgets import require_within
from paracloud.kit.errors import NotEnoughFunds
from paracloud.kit.identifiers import ProjectId, UserId
from paracloud.kit.money import Money


@dataclass(frozen=True, slots=True)
class Wanted:
    """`most` and `place` say what packages would be asked for; without them the wallet gives it all."""

    project: ProjectId
    reference: str
    amount: Money
    user: UserId | None = None
    most: Most | None = None
    place: Place | None = None


@dataclass(frozen=True, slots=True)
class Reserved:
    """`rest` is what the wallet must give; `ceiling` the most that can be charged, whoever pays: an hour of a package
    may have cost more than its price here."""

    rest: Money
    ceiling: Money


def covered(shelf: Shelf, wanted: Wanted, now: datetime) -> Reserved:
    """What packages and credits leave to the wallet, and the most that all of them can pay together; what they are to
    pay is reserved on the shelf."""
    rest = ceiling = wanted.amount.micro
    if wanted.most is not None and wanted.place is not None:
        rest, by_packages = _uncovered(shelf, wanted, wanted.most, wanted.place, now)
        ceiling = max(ceiling, by_packages)
    return Reserved(Money(rest, wanted.amount.currency), Money(ceiling, wanted.amount.currency))


async def reserve(
    session: AsyncSession, wanted: Wanted, shelf: Shelf, wallet_micro: int, now: datetime, *, counted_micro: int = 0
) -> Reserved:
    """What the wallet, which is locked and has `wallet_micro`, must give; the rest is reserved on the shelf, which the
    caller puts back. Of the ceiling budgets count `counted_micro` already. NotEnoughFunds names what is missing, and
    nothing was written then."""
    found = covered(shelf, wanted, now)
    rest = found.rest.micro
    available = wallet_micro + await credit_line(session, wanted.project)
    if available < rest and rest > 0:
        raise _missing(Money(available, wanted.amount.currency), Money(rest, wanted.amount.currency))
    await require_within(session, wanted.project, wanted.user, max(found.ceiling.micro - counted_micro, 0), now)
    return found


def _uncovered(shelf: Shelf, wanted: Wanted, most: Most, place: Place, now: datetime) -> tuple[int, int]:
    """Micro-units that are left to the wallet when packages and credits have reserved what they can; and the most that
    packages, credits and wallet can pay together."""
    price, micro, before = most.price, wanted.amount.micro, shelf.worth_reserved(wanted.reference)

    def kept(unit: Unit, units: int) -> int:
        return shelf.reserve(wanted.project, unit, units, place, now, wanted.reference)

    if price.rule is None:
        cores = most.core_seconds - kept(Unit.CORE_SECOND, most.core_seconds)
        cards = most.card_seconds - kept(Unit.CARD_SECOND, most.card_seconds)
        if (cores, cards) != (most.core_seconds, most.card_seconds):
            micro = min(micro, ceil(rate(cores, cards, price, 0).amount.micro * price.dearest))
    return micro - kept(Unit.MICRO, micro), micro + shelf.worth_reserved(wanted.reference) - before


def _missing(available: Money, wanted: Money) -> NotEnoughFunds:
    missing = wanted - available
    return NotEnoughFunds(
        f"The job can cost up to {wanted} {wanted.currency}, {available} is available: {missing} {wanted.currency} is "
        "missing. Top up, or ask for less time or fewer cores.",
        f"该作业最多需要 {wanted} {wanted.currency}，可用余额 {available}，还差 {missing} {wanted.currency}。"
        "请充值，或减少时长或核数。",
        missing_micro=missing.micro,
        currency=wanted.currency,
    )
