"""Statements and bills as the API shows them."""

from collections.abc import Sequence
from uuid import UUID

from paracloud.billing.cover import Unit
from paracloud.kit.money import Money
from paracloud.statements.rows import hours
from paracloud.statements.statement import Line, Movement, Statement, Sums, Taken, total
from paracloud.wire.statements import (
    BillLineModel,
    BillModel,
    MonthModel,
    MovementModel,
    SumsModel,
    TakenModel,
    UsedByModel,
    UsedModel,
)

SAME = (
    "usage", "revision", "kind", "centre", "queue", "product_line", "state", "started_at", "ended_at", "charged_at",
    "cores", "cards", "elapsed_seconds", "price", "reason", "entry",
)  # fmt: skip


def month_model(of: Statement) -> MonthModel:
    return MonthModel(
        number=of.number,
        payer=of.payer.name,
        organisation=of.payer.organisation,
        period=of.period,
        issued_at=of.issued_at,
        is_final=of.is_final,
        currency=of.currency,
        total=_sums(of.total),
        used=[
            UsedModel(
                project=one.project,
                product_line=one.product_line,
                centre=one.centre,
                queue=one.queue,
                sums=_sums(one.sums),
            )
            for one in of.used
        ],
        by_user=[UsedByModel(project=one.project, user=one.user, sums=_sums(one.sums)) for one in of.by_user],
        opening=str(Money(of.opening)),
        movements=[_movement(one, of.payer.projects[one.project]) for one in of.movements],
        charged=str(Money(of.charged)),
        closing=str(Money(of.closing)),
    )


def bill_model(job: UUID, currency: str, lines: Sequence[Line]) -> BillModel:
    return BillModel(
        job=job, currency=currency, total=_sums(total(one.sums for one in lines)), lines=[_line(one) for one in lines]
    )


def _line(one: Line) -> BillLineModel:
    same = {name: getattr(one, name) for name in SAME}
    return BillLineModel(
        **same,
        record_id=one.record,
        core_hour=None if one.core_hour is None else f"{one.core_hour:f}",
        card_hour=None if one.card_hour is None else f"{one.card_hour:f}",
        sums=_sums(one.sums),
        taken=[_taken(used) for used in one.taken],
    )


def _taken(one: Taken) -> TakenModel:
    return TakenModel(
        package=one.package,
        name=one.name,
        unit="yuan" if one.unit == Unit.MICRO else one.unit.replace("second", "hour"),
        quantity=str(Money(one.units)) if one.unit == Unit.MICRO else f"{hours(one.units):f}",
        amount=str(Money(one.micro)),
    )


def _movement(one: Movement, project: str) -> MovementModel:
    return MovementModel(
        entry=one.entry,
        at=one.at,
        project=project,
        kind=one.kind,
        about=one.of,
        reason=one.reason,
        amount=str(Money(one.micro)),
        is_cost=one.is_cost,
    )


def _sums(sums: Sums) -> SumsModel:
    return SumsModel(
        jobs=sums.jobs,
        core_hours=f"{hours(sums.core_seconds):f}",
        card_hours=f"{hours(sums.card_seconds):f}",
        list=str(Money(sums.list)),
        amount=str(Money(sums.amount)),
        package=str(Money(sums.package)),
        credit=str(Money(sums.credit)),
        wallet=str(Money(sums.wallet)),
    )
