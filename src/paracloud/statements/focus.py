"""A statement as rows of FOCUS 1.2 (columns in `focus_columns`), for tools that compare the bills of many clouds.

The cost that is billed is what the wallet pays, so that BilledCost sums to it. A charge that packages pay in part has a
row for each part, as FOCUS wants it: what a package covers is billed with its purchase, and its effective cost is that
part of the package's price. A credit is a row of its own. What was paid in is no charge, and on no row.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal

from paracloud.billing.cover import Unit
from paracloud.billing.entry import ADJUSTMENT, PACKAGE_END
from paracloud.billing.period import begins, month_after
from paracloud.identity.product_line import ProductLine
from paracloud.statements.rows import SECONDS_AN_HOUR, moment, units
from paracloud.statements.statement import CORRECTION, REVERSAL, USAGE, Expired, Line, Movement, Statement, Taken
from paracloud.statements.words import Language, word

CORE_HOURS, CARD_HOURS, JOBS = "Core-Hours", "Card-Hours", "Jobs"
UNITS = {Unit.CORE_SECOND: CORE_HOURS, Unit.CARD_SECOND: CARD_HOURS}
DIGITS = Decimal(1).scaleb(-12)
Row = dict[str, str | int | Decimal | datetime | None]


class Focus:
    """Rows of one statement. `provider` is the operator's name."""

    def __init__(self, statement: Statement, provider: str) -> None:
        self._statement = statement
        payer, period = statement.payer, statement.period
        self._same: Row = {
            "BillingAccountId": str(payer.organisation_id),
            "BillingAccountName": payer.organisation,
            "BillingAccountType": "Organisation",
            "BillingCurrency": statement.currency,
            "BillingPeriodStart": begins(period),
            "BillingPeriodEnd": begins(month_after(period)),
            "InvoiceId": statement.number if statement.is_final else None,
            "InvoiceIssuerName": provider,
            "ProviderName": provider,
            "PublisherName": provider,
            "SubAccountType": "Project",
        }

    def of_line(self, line: Line) -> Iterator[Row]:
        covered = [one for one in line.taken if one.unit != Unit.MICRO]
        for one in covered:
            yield self._usage(line) | _covered(line, one)
        if not covered or line.sums.list or line.sums.amount != line.sums.package:
            used, *other = _consumed(line, covered)
            yield self._usage(line) | _uncovered(line, *used)
            for unit, seconds in other:
                yield self._usage(line) | _only_consumed(unit, seconds)
        for one in line.taken:
            if one.unit == Unit.MICRO:
                yield self._usage(line) | _credit(one)

    def of_purchases(self) -> Iterator[Row]:
        """Packages, fees, what was taken back of them, adjustments, and what expired unused."""
        for one in self._statement.movements:
            if one.kind == ADJUSTMENT:
                yield self._adjustment(one)
            elif one.is_cost:
                yield self._purchase(one)
        for unused in self._statement.expired:
            yield self._expired(unused)

    def _usage(self, line: Line) -> Row:
        start = line.started_at or line.ended_at
        is_late = line.kind != USAGE and line.ended_at < begins(self._statement.period)
        service = word(line.product_line, Language.EN)
        return self._same | {
            "ChargeCategory": "Usage",
            "ChargeClass": "Correction" if is_late else None,
            "ChargeDescription": f"{service}, {line.centre}/{line.queue}: {line.kind}",
            "ChargeFrequency": "Usage-Based",
            "ChargePeriodStart": start,
            "ChargePeriodEnd": max(line.ended_at, start + timedelta(seconds=1)),
            "RegionId": line.centre,
            "RegionName": line.centre,
            "PublisherName": line.centre,
            "ResourceId": line.job or line.record,
            "ResourceName": line.name,
            "ResourceType": "Job",
            "ServiceCategory": "AI and Machine Learning" if line.product_line == ProductLine.AI else "Compute",
            "ServiceName": service,
            "SkuId": f"{line.product_line}/{line.centre}/{line.queue}",
            "SkuPriceId": str(line.price),
            "SubAccountId": str(line.project),
            "SubAccountName": self._statement.payer.projects[line.project],
            "x_ChargeId": str(line.usage),
            "x_Queue": line.queue,
            "x_Revision": line.revision,
            "x_User": line.user,
        }

    def _bought(self, one: Movement | Expired) -> Row:
        return self._same | {
            "ChargePeriodStart": one.at,
            "ChargePeriodEnd": one.at + timedelta(seconds=1),
            "ServiceCategory": "Compute",
            "SubAccountId": str(one.project),
            "SubAccountName": self._statement.payer.projects[one.project],
            "x_ChargeId": str(one.entry),
        }

    def _purchase(self, one: Movement) -> Row:
        cost, is_package = units(-one.micro), one.kind in {"package", PACKAGE_END}
        return self._bought(one) | _costs(cost, cost, cost, Decimal() if is_package else cost) | {
            "ChargeCategory": "Purchase",
            "ChargeClass": "Correction" if one.kind in {REVERSAL, PACKAGE_END} else None,
            "ChargeDescription": ": ".join(text for text in (one.kind, one.of, one.reason) if text),
            "ChargeFrequency": "Recurring" if one.kind == "dedicated" else "One-Time",
            "PricingCategory": "Committed",
            "PricingQuantity": Decimal(1),
            "PricingUnit": "Packages" if is_package else "Months",
            "ServiceName": "Packages" if is_package else "Dedicated nodes",
        }  # fmt: skip

    def _adjustment(self, one: Movement) -> Row:
        cost = units(-one.micro)
        return self._bought(one) | _costs(cost, cost, cost, cost) | {
            "ChargeCategory": "Credit" if one.micro > 0 else "Adjustment",
            "ChargeDescription": ": ".join(text for text in (one.kind, one.reason) if text),
            "ChargeFrequency": "One-Time",
            "ServiceCategory": "Other",
            "ServiceName": "Adjustments",
        }  # fmt: skip

    def _expired(self, one: Expired) -> Row:
        nothing = Decimal()
        return self._bought(one) | _costs(nothing, nothing, nothing, units(one.micro)) | {
            "ChargeCategory": "Usage",
            "ChargeDescription": f"{one.name}: expired unused",
            "ChargeFrequency": "One-Time",
            "ServiceName": "Packages",
            **_commitment(one, "Unused"),
        }  # fmt: skip


def _covered(line: Line, one: Taken) -> Row:
    """The part of a charge that a package paid."""
    unit = Unit(one.unit)
    price = (line.core_hour if unit is Unit.CORE_SECOND else line.card_hour) or Decimal()
    cost = units(round(one.units * price * 1_000_000 / SECONDS_AN_HOUR))
    return _costs(cost, cost, Decimal(), units(one.micro)) | _commitment(one, "Used") | {
        "ConsumedQuantity": _hours(one.units),
        "ConsumedUnit": UNITS[unit],
        "ListUnitPrice": price,
        "SkuMeter": UNITS[unit],
    }  # fmt: skip


def _commitment(one: Taken | Expired, status: str) -> Row:
    unit = UNITS[Unit(one.unit)]
    return {
        "CommitmentDiscountCategory": "Usage",
        "CommitmentDiscountId": str(one.package),
        "CommitmentDiscountName": one.name,
        "CommitmentDiscountQuantity": _hours(one.units),
        "CommitmentDiscountStatus": status,
        "CommitmentDiscountType": "Package",
        "CommitmentDiscountUnit": unit,
        "PricingCategory": "Committed",
        "PricingQuantity": _hours(one.units),
        "PricingUnit": unit,
    }


def _consumed(line: Line, covered: list[Taken]) -> list[tuple[Unit, int]]:
    """What no package covers: card-hours of a job with cards, core-hours of any other. A correction after which it is
    the other has both, so that a job's rows sum to what it used in the end."""
    cores, cards, sums = line.cores * line.elapsed_seconds, line.cards * line.elapsed_seconds, line.sums
    had_cards = line.kind == CORRECTION and cards != sums.card_seconds
    if not (line.cards or had_cards):
        found = [(Unit.CORE_SECOND, sums.core_seconds)]
    else:
        found = [(Unit.CARD_SECOND, sums.card_seconds)]
        if line.kind == CORRECTION and bool(line.cards) != had_cards:
            found.append((Unit.CORE_SECOND, sums.core_seconds - cores if line.cards else cores))
    return [(unit, seconds - sum(one.units for one in covered if one.unit == unit)) for unit, seconds in found]


def _only_consumed(unit: Unit, seconds: int) -> Row:
    nothing = Decimal()
    return _costs(nothing, nothing, nothing, nothing) | {
        "PricingCategory": "Standard",
        "PricingQuantity": nothing,
        "PricingUnit": UNITS[unit],
        "ConsumedQuantity": _hours(seconds),
        "ConsumedUnit": UNITS[unit],
        "SkuMeter": UNITS[unit],
    }  # fmt: skip


def _uncovered(line: Line, used: Unit, seconds: int) -> Row:
    """What no package paid. The quantity is what the list cost is at the price, exactly; where several prices or a
    charging rule made it, the job is the unit, and has no unit price."""
    both = {CORE_HOURS: line.core_hour, CARD_HOURS: line.card_hour}
    prices = {unit: price for unit, price in both.items() if price}
    cost, listed = units(line.sums.amount - line.sums.package), units(line.sums.list)
    priced: Row = {
        "PricingUnit": JOBS,
        "PricingQuantity": Decimal(-1 if line.kind == REVERSAL else line.sums.jobs or line.is_anew),
    }
    if len(prices) == 1:
        ((unit, price),) = prices.items()
        priced = {
            "PricingUnit": unit, "PricingQuantity": (listed / price).quantize(DIGITS), "ListUnitPrice": price,
        }  # fmt: skip
    return _costs(listed, cost, cost, cost) | priced | {
        "PricingCategory": "Standard",
        "ConsumedQuantity": _hours(seconds),
        "ConsumedUnit": UNITS[used],
        "SkuMeter": UNITS[used],
    }  # fmt: skip


def _credit(one: Taken) -> Row:
    less = units(-one.units)
    return _costs(less, less, less, less) | {
        "ChargeCategory": "Credit",
        "ChargeDescription": one.name,
        "SkuId": None,
        "SkuPriceId": None,
    }  # fmt: skip


def _costs(listed: Decimal, contracted: Decimal, billed: Decimal, effective: Decimal) -> Row:
    return {"ListCost": listed, "ContractedCost": contracted, "BilledCost": billed, "EffectiveCost": effective}


def _hours(seconds: int) -> Decimal:
    return (Decimal(seconds) / SECONDS_AN_HOUR).quantize(DIGITS)


def text_of(cell: str | int | Decimal | datetime | None) -> str:
    """As FOCUS writes values: times in UTC, decimals without an exponent, null as nothing."""
    if cell is None:
        return ""
    if isinstance(cell, Decimal):
        return f"{cell.normalize():f}" if cell else "0"
    return moment(cell) if isinstance(cell, datetime) else str(cell)
