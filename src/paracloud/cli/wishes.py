"""What `submit` and `quote` may demand of where a job runs: options, as the API takes them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated

import typer

from paracloud.cli.words import both, plain
from paracloud.jobs.quantities import wall
from paracloud.kit.errors import Invalid
from paracloud.wire.constraints import ConstraintsModel


def a_moment(text: str) -> datetime:
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        shown = f"{text[:40]!r}"
        raise typer.BadParameter(
            plain(
                both(
                    f"{shown} is no moment; write it with its zone, such as 2026-06-01T18:00+08:00.",
                    f"{shown} 不是时间；请连同时区写成 2026-06-01T18:00+08:00。",
                )
            )
        )
    return found


def a_span(text: str) -> timedelta:
    """As `--time` is written."""
    try:
        return wall("max-wait", text)
    except Invalid as wrong:
        raise typer.BadParameter(plain(both(wrong.en, wrong.zh))) from None


Objective = Annotated[
    str | None,
    typer.Option(help="cheapest (if nothing is said), soonest, balanced, or deadline (if there is one)."),
]
Deadline = Annotated[
    datetime | None,
    typer.Option(parser=a_moment, metavar="TIME", help="The cheapest that is done by then, such as 2026-06-01T18:00Z."),
]
Region = Annotated[str | None, typer.Option(help="Only in this region.")]
Residency = Annotated[list[str] | None, typer.Option(help="A region that the data may be in; may be repeated.")]
Application = Annotated[list[str] | None, typer.Option(help="Only where this is there; may be repeated.")]
Trust = Annotated[int, typer.Option(min=0, max=5, help="Only where the centre has at least this trust level.")]
MaxCost = Annotated[str | None, typer.Option(help="Only where it cannot cost more than this.")]
MaxWait = Annotated[
    timedelta | None,
    typer.Option(
        parser=a_span, metavar="TIME", help="Only where nine jobs in ten wait no longer, as --time is written."
    ),
]


@dataclass(frozen=True, slots=True)
class Wishes:
    """As the API takes them."""

    objective: str
    constraints: ConstraintsModel


def wishes(
    objective: str | None,
    deadline: datetime | None,
    *,
    region: str | None,
    residency: list[str] | None,
    application: list[str] | None,
    trust: int,
    max_cost: str | None,
    max_wait: timedelta | None,
) -> Wishes:
    """Whoever names a deadline alone means it as the objective."""
    constraints = ConstraintsModel(
        deadline=deadline,
        region=region,
        residency=residency or None,
        applications=application or [],
        least_trust=trust,
        most_cost=max_cost,
        most_wait_seconds=None if max_wait is None else int(max_wait.total_seconds()),
    )
    return Wishes(objective or ("cheapest" if deadline is None else "deadline"), constraints)
