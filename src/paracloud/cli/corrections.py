"""`paracloud admin …` on what is put right by hand: what a usage costs, adjustments, packages that end."""

from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.ids import Id, an_id
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both, plain, say
from paracloud.wire.corrections import RateRequest


def rate(
    usage: Id,
    reason: str,
    price: Annotated[
        UUID | None, typer.Option(parser=an_id, help="Charge it whole at this price version of its centre.")
    ] = None,
    waive: Annotated[bool, typer.Option("--waive", help="It costs nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide what usage costs that is unrated, or whose charge was reversed."""
    if waive == (price is not None):
        raise typer.BadParameter(both("Give --price or --waive, one of them.", "请指定 --price 或 --waive 之一。"))
    with session.client() as client:
        made = client.rate(usage, RateRequest(price=price, waive=waive, reason=reason))
    if as_json:
        show.as_json(made)
    elif made.price is None:
        print(say("costs nothing", "不收费"))
    else:
        print(plain(f"{made.amount.amount} {made.amount.currency}"))


VERBS = (rate,)
