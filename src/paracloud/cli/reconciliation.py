"""`paracloud admin reconcile …`: the books of days held against each other, and the month's closing."""

from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson
from paracloud.cli.kinds import CAUSES, DAYS, kind
from paracloud.cli.times import Day, a_month
from paracloud.cli.words import plain, say
from paracloud.wire.reconciliation import OpenDayModel, ReconciliationModel


def reconcile(centre: str, day: Day, as_json: AsJson = False) -> None:
    """Ask a centre's accounting again for a day, and hold it against our charges and the settlement; exit status 1
    where they differ. Of days that are over this happens by itself."""
    with session.client() as client:
        _tell(client.reconcile(centre, day), as_json=as_json)


def reconciliation(centre: str, day: Day, as_json: AsJson = False) -> None:
    """Show what the last look at a day found; exit status 1 where the books differ."""
    with session.client() as client:
        _tell(client.reconciliation(centre, day), as_json=as_json)


def reconciliations(
    month: Annotated[
        str | None, typer.Option(parser=a_month, metavar="MONTH", help="Such as 2026-06; else this month.")
    ] = None,
    centre: Annotated[str | None, typer.Option()] = None,
    differing: Annotated[bool, typer.Option("--differing", help="Leave out days that agree.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the last look at each day of a month."""
    with session.client() as client:
        found = client.reconciliations(month, centre, differing=differing)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (x.centre, x.day, kind(x.state, DAYS), x.records, x.accounted.amount, x.charged.amount, x.settled.amount,
         x.differences, x.off.amount, x.reason_en and say(x.reason_en, x.reason_zh or ""))
        for x in found.items
    ]  # fmt: skip
    heads = ["centre", "day", "state", "records", "accounted", "charged", "settled", "differences", "off", "reason"]
    show.table(heads, rows)


def close(
    month: Annotated[str, typer.Argument(parser=a_month, metavar="MONTH", help="Such as 2026-06; it must be over.")],
    as_json: AsJson = False,
) -> None:
    """Close a month's books, once and for all; names its days whose books do not agree."""
    with session.client() as client:
        made = client.close_period(month)
    if as_json:
        show.as_json(made)
        return
    print(say("closed", "已关账") if made.is_new else say("closed before", "此前已关账"))
    if made.unreconciled:
        text = say(
            "Days whose books do not agree; what a correction charges falls into the next month:",
            "以下日期账目尚不一致；更正产生的费用计入下月：",
        )
        show.errors.print(plain(text), markup=False, highlight=False)
        show.table(["centre", "day", "state", "off"], [_open(one) for one in made.unreconciled])


def _open(one: OpenDayModel) -> tuple[object, ...]:
    return (
        one.centre,
        one.day,
        say("not looked at", "未对账") if one.state is None else kind(one.state, DAYS),
        one.off.amount,
    )


def _tell(found: ReconciliationModel, *, as_json: bool) -> None:
    if as_json:
        show.as_json(found)
    else:
        books = f"{found.accounted.amount} / {found.charged.amount}"
        told = say(
            f"{found.records} records; accounted / charged {books}; settled {found.settled.amount}",
            f"{found.records} 条记录；应计 / 已扣 {books}；已结算 {found.settled.amount}",
        )
        print(plain(told if found.reason_en is None else say(found.reason_en, found.reason_zh or "")))
        rows = [
            (kind(one.cause, CAUSES), one.record_id, one.amount.amount, say(one.en, one.zh)) for one in found.mismatches
        ]
        if rows:
            show.table(["cause", "record", "amount", "reason"], rows)
    if found.state != "agrees":
        raise typer.Exit(1)


VERBS = (reconcile, reconciliation, reconciliations, close)
