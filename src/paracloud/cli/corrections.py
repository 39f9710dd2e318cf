"""`paracloud admin …` on what is put right by hand: what a usage costs, adjustments, packages that end."""

from typing import Annotated
from uuid import UUID, uuid4

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import tell_booked
from paracloud.cli.ids import Id, an_id
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both, plain, say
from paracloud.wire.corrections import AdjustmentRequest, EndPackageRequest, RateRequest, ReverseUsageRequest


def rate(
    usage: Id,
    reason: str,
    price: Annotated[
        UUID | None, typer.Option(parser=an_id, help="Charge it whole at this price version of its centre.")
    ] = None,
    waive: Annotated[bool, typer.Option("--waive", help="It costs nothing.")] = False,
    as_json: AsJson = False,
) -> None:
    """Decide what usage costs that is unrated, whose charge was reversed, or that was waived by mistake."""
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


def adjust(
    project: Id,
    amount: Annotated[str, typer.Argument(help="Yuan to the wallet; less than nothing is taken from it, such as -5.")],
    reason: str,
    key: Annotated[str | None, typer.Option(help="The adjustment's own number: the same one counts once.")] = None,
    as_json: AsJson = False,
) -> None:
    """Give goodwill, or take what is owed besides all charges, never below the credit line."""
    body = AdjustmentRequest(project=project, amount=amount, reason=reason, key=key or str(uuid4()))
    with session.client() as client:
        made = client.adjust(body)
    tell_booked(made, as_json=as_json)


def end_package(
    package: Annotated[UUID, typer.Argument(parser=an_id, help="Or a credit; `funds` and `packages` list them.")],
    reason: str,
    as_json: AsJson = False,
) -> None:
    """End a package or a credit now: what is left of its price goes back to the wallet."""
    with session.client() as client:
        made = client.end_package(package, EndPackageRequest(reason=reason))
    if as_json:
        show.as_json(made)
    else:
        print(plain(f"{made.returned.amount} {made.returned.currency}"))


def reverse_usage(usage: Id, reason: str, as_json: AsJson = False) -> None:
    """Take back all that a usage was charged, also where that was nothing, with a reason."""
    with session.client() as client:
        made = client.reverse_usage(usage, ReverseUsageRequest(reason=reason))
    if as_json:
        show.as_json(made)
    else:
        print(plain(f"{made.amount.amount} {made.amount.currency}"))


VERBS = (rate, reverse_usage, end_package)
