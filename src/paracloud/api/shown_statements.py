"""Statements as the API shows them."""

from paracloud.kit.money import Money
from paracloud.statements.rows import hours
from paracloud.statements.statement import Movement, Statement, Sums
from paracloud.wire.statements import MonthModel, MovementModel, SumsModel, UsedByModel, UsedModel


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
