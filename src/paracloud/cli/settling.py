"""`paracloud admin …`: the operator's side of settlements."""

from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import tell
from paracloud.cli.ids import Id
from paracloud.cli.jobs import AsJson
from paracloud.cli.settlement import list_settlements, tell_settlement
from paracloud.cli.times import Month
from paracloud.wire.settlement import AnswerRequest, CentrePersonRequest, PaymentRequest, SettlementList


def settle(month: Month, as_json: AsJson = False) -> None:
    """State a closed month to every centre; those that have it keep it."""
    with session.client() as client:
        list_settlements(client.state_settlements(month), as_json=as_json)


def settlements_waiting(
    month: Annotated[str | None, typer.Option(help="All statements of a month, such as 2026-06.")] = None,
    as_json: AsJson = False,
) -> None:
    """List what waits for you over all centres: disputes to answer, and statements that are disputed or to be paid."""
    with session.client() as client:
        found = client.settling(month)
    if as_json:
        show.as_json(found)
        return
    list_settlements(SettlementList(items=found.items), as_json=False)
    if found.disputes:
        rows = [
            (one.id, one.centre, one.month, one.usage, f"{one.opened_at:%Y-%m-%d %H:%M}", one.person, one.reason)
            for one in found.disputes
        ]
        show.table(["dispute", "centre", "month", "usage", "at", "by", "reason"], rows)


def answer_dispute(
    dispute: Id,
    answer: str,
    adjustment: Annotated[str, typer.Option(help="Yuan that the centre gets besides; negative: less.")] = "0",
    beyond_charge: Annotated[
        bool,
        typer.Option("--beyond-charge", help="More than the line's charge is meant, or less of what was reversed."),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Answer a centre's dispute; with the last answer the statement is the centre's to confirm again."""
    body = AnswerRequest(answer=answer, adjustment=adjustment, beyond_charge=beyond_charge)
    with session.client() as client:
        found = client.answer_dispute(dispute, body)
    tell_settlement(found, as_json=as_json)


def pay_settlement(
    settlement: Id,
    payment: Annotated[str, typer.Argument(help="The transfer's own number: the same one counts once.")],
    from_centre: Annotated[
        bool, typer.Option("--from-centre", help="The centre paid it: of a statement of less than nothing.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Book that a confirmed statement was paid."""
    body = PaymentRequest(payment=payment, from_centre=from_centre)
    with session.client() as client:
        tell_settlement(client.pay_settlement(settlement, body), as_json=as_json)


def centre_person(
    login: str,
    centre: str,
    remove: Annotated[bool, typer.Option("--remove", help="The user speaks for it no longer.")] = False,
    as_json: AsJson = False,
) -> None:
    """Let a user speak for a centre: see its statements, confirm and dispute them."""
    with session.client() as client:
        if remove:
            client.silence(centre, login)
        else:
            client.let_speak(CentrePersonRequest(login=login, centre=centre))
    tell(login, as_json=as_json)


def centre_people(
    centre: Annotated[str | None, typer.Argument(help="Of this centre alone.")] = None, as_json: AsJson = False
) -> None:
    """List who speaks for which centre."""
    with session.client() as client:
        found = client.centre_people(centre)
    if as_json:
        show.as_json(found)
        return
    show.table(["centre", "user"], [(one.centre, one.login) for one in found.items])


VERBS = (settle, answer_dispute, pay_settlement, centre_person, centre_people)
