"""Settlement as the API shows it."""

from decimal import Decimal
from typing import Any

from paracloud.api import shown
from paracloud.kit.money import Money
from paracloud.settlement.settled import Dispute, Settlement
from paracloud.settlement.store_lines import Day, Line
from paracloud.wire.settlement import DayModel, DisputeModel, OpenDisputeModel, SettledLineModel, SettlementModel

SECONDS_AN_HOUR = 3600


def statement(one: Settlement) -> SettlementModel:
    amounts = {
        name: shown.money(Money(getattr(one, name), one.currency))
        for name in ("share", "tiers", "minimum", "fixed", "fees", "adjusted", "total")
    }
    return SettlementModel(
        id=one.id,
        centre=one.centre,
        month=f"{one.period:%Y-%m}",
        state=one.state.value,
        charges=one.charges,
        **amounts,
        stated_at=one.stated_at,
        confirmed_at=one.confirmed_at,
        paid_at=one.paid_at,
        payment=one.payment,
    )


def a_day(one: Day, currency: str) -> DayModel:
    return DayModel(
        day=one.day,
        queue=one.queue,
        charges=one.count,
        core_hours=f"{Decimal(one.core_seconds) / SECONDS_AN_HOUR:.4f}",
        card_hours=f"{Decimal(one.card_seconds) / SECONDS_AN_HOUR:.4f}",
        share=shown.money(Money(one.share, currency)),
    )


def a_line(one: Line, currency: str) -> SettledLineModel:
    same = {name: getattr(one, name) for name in Line.__dataclass_fields__ if name != "share"}
    return SettledLineModel(**same, share=shown.money(Money(one.share, currency)))


def a_dispute(one: Dispute, currency: str) -> DisputeModel:
    return DisputeModel(**_of_dispute(one, currency))


def an_open_dispute(one: Dispute, of: Settlement) -> OpenDisputeModel:
    fields = _of_dispute(one, of.currency)
    return OpenDisputeModel(**fields, settlement=of.id, centre=of.centre, month=f"{of.period:%Y-%m}")


def _of_dispute(one: Dispute, currency: str) -> dict[str, Any]:
    names = ("id", "usage", "reason", "person", "opened_at", "answer", "answered_at")
    return {name: getattr(one, name) for name in names} | {"adjusted": shown.money(Money(one.adjusted, currency))}
