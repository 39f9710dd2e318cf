"""`paracloud admin forecasts`: how often what was said of jobs held."""

from collections.abc import Iterator
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import plain, say
from paracloud.wire.forecasts import CalibrationModel, CentreCalibrationModel, WaitModelModel

KINDS = {"wait": "排队时间", "run": "运行时间", "cost": "费用"}


def forecasts(
    centre: Annotated[str | None, typer.Option(help="This one alone.")] = None,
    days: Annotated[int, typer.Option(min=1, max=3660, help="Of what was said within so many days.")] = 30,
    as_json: AsJson = False,
) -> None:
    """Show by centre how often the P90 of waits, run times and costs held (0.9 is right), and how far half of
    what came was from P50 (1 is right)."""
    with session.client() as client:
        found = client.forecasts(centre, days=days)
    if as_json:
        show.as_json(found)
        return
    rows = [row for one in found.centres for row in _rows(one)]
    show.table(["centre", "forecast", "jobs", "P90 held", "came/P50", "overdue"], rows)
    if found.models:
        print(plain(_model(found.models[0])))


def _rows(of: CentreCalibrationModel) -> Iterator[tuple[object, ...]]:
    for kind, zh in KINDS.items():
        one: CalibrationModel = getattr(of, kind)
        overdue = of.overdue if kind == "wait" else None
        yield of.centre, say(kind, zh), one.count, _number(one.held), _number(one.ratio), overdue


def _number(value: float | None) -> str | None:
    return None if value is None else f"{value:.2f}"


def _model(one: WaitModelModel) -> str:
    at, losses = show.moment(one.trained_at), f"{one.loss:.3f} / {one.plain_loss:.3f}"
    return say(
        f"Model of waits: trained {at} on {one.jobs} jobs; loss, and the plain rule's: {losses}; "
        + ("it predicts." if one.is_used else "the plain rule predicts."),
        f"排队时间模型：{at} 由 {one.jobs} 个作业训练；损失（模型／简单规则）：{losses}；"
        + ("现用该模型。" if one.is_used else "现用简单规则。"),
    )
