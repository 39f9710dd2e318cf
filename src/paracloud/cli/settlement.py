"""`paracloud centre …`: what a centre sees of its settlement; and the operator's side of it, under `admin`."""

from datetime import date
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import tell
from paracloud.cli.ids import Id
from paracloud.cli.jobs import AsJson
from paracloud.cli.kinds import SETTLEMENTS, kind
from paracloud.cli.times import Month, a_day
from paracloud.cli.words import plain, say
from paracloud.wire.settlement import (
    AnswerRequest,
    CentrePersonRequest,
    DisputeRequest,
    PaymentRequest,
    SettlementList,
    SettlementModel,
)

app = typer.Typer(
    no_args_is_help=True,
    help=say(
        "A centre's own statements: look into them, confirm or dispute them.",
        "超算中心的结算单：查看、确认或提出争议。",
    ),
)

EndedOn = Annotated[
    date | None,
    typer.Option(parser=a_day, metavar="DAY", help="What ended on this day, UTC, such as 2026-06-01."),
]


@app.command("settlements")
def settlements(centre: str, as_json: AsJson = False) -> None:
    """List the centre's statements, the newest first."""
    with session.client() as client:
        _list(client.settlements(centre), as_json=as_json)


@app.command("settlement")
def settlement(centre: str, month: Month, as_json: AsJson = False) -> None:
    """Show a month's statement, by day and queue, and its disputes."""
    with session.client() as client:
        found = client.settlement(centre, month)
    if as_json:
        show.as_json(found)
        return
    _list(SettlementList(items=[found.settlement]), as_json=False)
    days = [(one.day, one.queue, one.charges, one.core_hours, one.card_hours, one.share.amount) for one in found.days]
    show.table(["day", "queue", "charges", "core-hours", "card-hours", "share"], days)
    if found.disputes:
        rows = [(one.id, one.usage, one.reason, one.answer, one.adjusted.amount) for one in found.disputes]
        show.table(["dispute", "usage", "reason", "answer", "adjusted"], rows)


@app.command("lines")
def lines(
    centre: str,
    month: Month,
    day: EndedOn = None,
    as_json: AsJson = False,
) -> None:
    """List a statement's single charges; with --json a line each."""
    with session.client() as client:
        found = client.settled_lines(centre, month, None if day is None else day.isoformat())
        if as_json:
            for one in found:
                print(one.model_dump_json())
            return
        rows = [
            (one.usage, one.record_id, one.account, one.queue, show.moment(one.ended_at), one.cores,
             one.elapsed_seconds, one.share.amount)
            for one in found
        ]  # fmt: skip
    show.table(["usage", "record", "account", "queue", "at", "cores", "seconds", "share"], rows)


@app.command("confirm")
def confirm(centre: str, month: Month, as_json: AsJson = False) -> None:
    """Confirm a month's statement: it is paid then."""
    with session.client() as client:
        _tell(client.confirm_settlement(centre, month), as_json=as_json)


@app.command("dispute")
def dispute(centre: str, month: Month, usage: Id, reason: str, as_json: AsJson = False) -> None:
    """Dispute a line of a statement, with a reason."""
    with session.client() as client:
        made = client.dispute(centre, month, DisputeRequest(usage=usage, reason=reason))
    tell(made.id, as_json=as_json)


def settle(month: Month, as_json: AsJson = False) -> None:
    """State a closed month to every centre; those that have it keep it."""
    with session.client() as client:
        _list(client.state_settlements(month), as_json=as_json)


def answer_dispute(
    dispute: Id,
    answer: str,
    adjustment: Annotated[str, typer.Option(help="Yuan that the centre gets besides; negative: less.")] = "0",
    as_json: AsJson = False,
) -> None:
    """Answer a centre's dispute; with the last answer the statement is the centre's to confirm again."""
    with session.client() as client:
        found = client.answer_dispute(dispute, AnswerRequest(answer=answer, adjustment=adjustment))
    _tell(found, as_json=as_json)


def pay_settlement(
    settlement: Id,
    payment: Annotated[str, typer.Argument(help="The transfer's own number: the same one counts once.")],
    as_json: AsJson = False,
) -> None:
    """Book that a confirmed statement was paid."""
    with session.client() as client:
        _tell(client.pay_settlement(settlement, PaymentRequest(payment=payment)), as_json=as_json)


def centre_person(login: str, centre: str, as_json: AsJson = False) -> None:
    """Let a user speak for a centre."""
    with session.client() as client:
        client.let_speak(CentrePersonRequest(login=login, centre=centre))
    tell(login, as_json=as_json)


def _tell(found: SettlementModel, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
    else:
        print(plain(f"{found.id} {kind(found.state, SETTLEMENTS)} {found.total.amount} {found.total.currency}"))


def _list(found: SettlementList, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.id, one.centre, one.month, kind(one.state, SETTLEMENTS), one.charges, one.share.amount,
         one.tiers.amount, one.minimum.amount, one.fixed.amount, one.fees.amount, one.adjusted.amount, one.total.amount)
        for one in found.items
    ]  # fmt: skip
    headings = ["settlement", "centre", "month", "state", "charges", "share", "tiers", "minimum", "fixed", "fees"]
    show.table([*headings, "adjusted", "total"], rows)


VERBS = (settle, answer_dispute, pay_settlement, centre_person)
