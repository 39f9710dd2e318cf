"""What dedicated nodes cost in a month. Pure."""

from collections.abc import Iterator
from datetime import date, timedelta
from fractions import Fraction

from paracloud.billing.dedication import Dedication
from paracloud.billing.period import begins, month_after, month_of

TICK = timedelta(microseconds=1)


def fee(of: Dedication, month: date) -> int:
    """Micro-units: as much of the monthly fee as the agreed time is of the month, rounded once, half to even."""
    start, end = begins(month), begins(month_after(month))
    first, last = max(start, of.valid_from), min(end, of.valid_to or end)
    if last <= first:
        return 0
    return round(Fraction(of.monthly.micro * ((last - first) // TICK), (end - start) // TICK))


def fee_months(of: Dedication, until: date) -> Iterator[date]:
    """In which it holds, up to this one."""
    month = month_of(of.valid_from)
    while month <= until and (of.valid_to is None or begins(month) < of.valid_to):
        yield month
        month = month_after(month)


def fee_key(of: Dedication, month: date) -> str:
    return f"dedicated:{of.id}:{month:%Y-%m}"


def fee_month(key: str) -> date:
    """Of a key that `fee_key` made."""
    return date.fromisoformat(f"{key.rpartition(':')[2]}-01")
