"""Settlement as the API shows it."""

from decimal import Decimal
from typing import Any

from paracloud.api import shown
from paracloud.billing.contract import Contract
from paracloud.billing.tiers import write_tiers
from paracloud.dialects.resources import had
from paracloud.kit.money import Money
from paracloud.settlement.settled import ContractSums, Dispute, Settlement
from paracloud.settlement.store_lines import Day, Line
from paracloud.wire.settlement import (
    ContractSumsModel,
    DayModel,
    DisputeModel,
    OpenDisputeModel,
    SettledLineModel,
    SettlementModel,
)
from paracloud.wire.tariffs import TierModel

SECONDS_AN_HOUR = 3600


def statement(one: Settlement) -> SettlementModel:
    amounts = {
        name: shown.money(Money(getattr(one, name), one.currency))
        for name in ("gross", "share", "tiers", "minimum", "fixed", "fees", "adjusted", "total")
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
        gross=shown.money(Money(one.gross, currency)),
        share=shown.money(Money(one.share, currency)),
    )


def a_contract(agreed: Contract, sums: ContractSums, currency: str) -> ContractSumsModel:
    month, charged = agreed.month, sums.charged
    amounts = {
        "agreed_minimum": month.minimum_micro,
        "agreed_fixed": month.fixed_micro,
        **{name: getattr(charged, name) for name in ("gross", "share", "owner", "late_gross", "late_share")},
        **{name: getattr(sums, name) for name in ("tiers", "minimum", "fixed")},
    }
    tiers = None if month.share_tiers is None else write_tiers(month.share_tiers)
    return ContractSumsModel(
        id=agreed.id,
        queue=agreed.queue,
        valid_from=agreed.valid_from,
        valid_to=agreed.valid_to,
        share_basis_points=agreed.share_basis_points,
        owner_basis_points=agreed.owner_basis_points,
        share_tiers=None if tiers is None else [TierModel.model_validate(one) for one in tiers],
        charges=charged.count,
        **{name: shown.money(Money(micro, currency)) for name, micro in amounts.items()},
    )


def a_line(one: Line, currency: str) -> SettledLineModel:
    amounts = {name: shown.money(Money(getattr(one, name), currency)) for name in ("gross", "share")}
    same = {name: getattr(one, name) for name in Line.__dataclass_fields__ if name not in amounts}
    same["resources"] = had(one.resources)
    return SettledLineModel(**same, **amounts)


def a_dispute(one: Dispute, currency: str) -> DisputeModel:
    return DisputeModel(**_of_dispute(one, currency))


def an_open_dispute(one: Dispute, of: Settlement) -> OpenDisputeModel:
    fields = _of_dispute(one, of.currency)
    return OpenDisputeModel(**fields, settlement=of.id, centre=of.centre, month=f"{of.period:%Y-%m}")


def _of_dispute(one: Dispute, currency: str) -> dict[str, Any]:
    names = ("id", "usage", "reason", "person", "opened_at", "answer", "answered_at")
    return {name: getattr(one, name) for name in names} | {"adjusted": shown.money(Money(one.adjusted, currency))}
