"""`paracloud centre …`: what a centre sees of its settlement."""

from datetime import date
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import tell
from paracloud.cli.ids import an_id
from paracloud.cli.jobs import AsJson
from paracloud.cli.kinds import SETTLEMENTS, kind
from paracloud.cli.times import Month, a_day
from paracloud.cli.words import plain, say
from paracloud.wire.settlement import (
    ContractSumsModel,
    DisputeRequest,
    SettledLineModel,
    SettlementList,
    SettlementModel,
)

app = typer.Typer(
    no_args_is_help=True,
    help=say(
        "A centre: connect it, change its terms; look into its own statements, confirm or dispute them.",
        "超算中心：接入、更改接入条款；查看、确认结算单或提出争议。",
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
        list_settlements(client.settlements(centre), as_json=as_json)


@app.command("settlement")
def settlement(centre: str, month: Month, as_json: AsJson = False) -> None:
    """Show a month's statement, by day and queue, and its disputes."""
    with session.client() as client:
        found = client.settlement(centre, month)
    if as_json:
        show.as_json(found)
        return
    list_settlements(SettlementList(items=[found.settlement]), as_json=False)
    _contracts(found.contracts)
    days = [
        (one.day, one.queue, one.charges, one.core_hours, one.card_hours, one.gross.amount, one.share.amount)
        for one in found.days
    ]
    show.table(["day", "queue", "charges", "core-hours", "card-hours", "gross", "share"], days)
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
    """List a statement's single charges; with --json an object on a line of its own each, not one for all."""
    with session.client() as client:
        found = client.settled_lines(centre, month, None if day is None else day.isoformat())
        if as_json:
            for one in found:
                print(one.model_dump_json())
            return
        rows = [
            (one.usage, _kind(one), one.record_id, one.account, one.queue, show.moment(one.ended_at), one.cores,
             one.gpus, show.counts(one.resources), one.elapsed_seconds, one.core_seconds, one.card_seconds,
             one.gross.amount, one.share.amount)
            for one in found
        ]  # fmt: skip
    headings = [
        "usage",
        "kind",
        "record",
        "account",
        "queue",
        "at",
        "cores",
        "cards",
        "resources",
        "seconds",
        "core-seconds",
    ]
    show.table([*headings, "card-seconds", "gross", "share"], rows)


@app.command("confirm")
def confirm(centre: str, month: Month, as_json: AsJson = False) -> None:
    """Confirm a month's statement: it is paid then."""
    with session.client() as client:
        tell_settlement(client.confirm_settlement(centre, month), as_json=as_json)


@app.command("dispute")
def dispute(
    centre: str,
    month: Month,
    reason: str,
    usage: Annotated[
        UUID | None,
        typer.Option(parser=an_id, help="The line; without it, what is on no line: a fee, a missing job."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Dispute a statement, with a reason: a line of it, or what is on no line."""
    with session.client() as client:
        made = client.dispute(centre, month, DisputeRequest(usage=usage, reason=reason))
    tell(made.id, as_json=as_json)


def _contracts(found: list[ContractSumsModel]) -> None:
    """What was agreed, and what it came to."""
    agreed = [
        (one.queue, f"{one.valid_from:%Y-%m-%d}", one.valid_to and f"{one.valid_to:%Y-%m-%d}",
         _percent(one.share_basis_points), _percent(one.owner_basis_points),
         " ".join(f"{step.starts_at}:{step.rate}" for step in one.share_tiers or []) or None,
         one.agreed_minimum.amount, one.agreed_fixed.amount)
        for one in found
    ]  # fmt: skip
    show.table(["queue", "from", "to", "share", "lender", "tiers", "minimum", "fixed"], agreed)
    came = [
        (one.queue, one.charges, one.gross.amount, one.share.amount, one.owner.amount, one.late_gross.amount,
         one.late_share.amount, one.tiers.amount, one.minimum.amount, one.fixed.amount)
        for one in found
    ]  # fmt: skip
    headings = ["queue", "charges", "gross", "share", "lender", "late gross", "late share", "tiers", "minimum", "fixed"]
    show.table(headings, came)


def _percent(basis_points: int) -> str:
    return f"{basis_points // 100}.{basis_points % 100:02} %"


def _kind(one: SettledLineModel) -> str:
    if one.is_reversal:
        return say("reversal", "冲销")
    return say("usage", "用量") if one.revision == 1 else say(f"revision {one.revision}", f"第 {one.revision} 版")


def tell_settlement(found: SettlementModel, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
    else:
        print(plain(f"{found.id} {kind(found.state, SETTLEMENTS)} {found.total.amount} {found.total.currency}"))


def list_settlements(found: SettlementList, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.id, one.centre, one.month, kind(one.state, SETTLEMENTS), one.charges, one.gross.amount, one.share.amount,
         one.tiers.amount, one.minimum.amount, one.fixed.amount, one.fees.amount, one.adjusted.amount, one.total.amount)
        for one in found.items
    ]  # fmt: skip
    headings = ["settlement", "centre", "month", "state", "charges", "gross", "share", "tiers", "minimum", "fixed"]
    show.table([*headings, "fees", "adjusted", "total"], rows)
