"""`paracloud admin reconcile …`: the books of days held against each other, and the month's closing."""

from collections.abc import Iterator
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson
from paracloud.cli.kinds import CAUSES, DAYS, kind
from paracloud.cli.times import Day, a_month
from paracloud.cli.words import plain, say
from paracloud.wire.reconciliation import ClosingModel, OpenDayModel, ReconciliationModel


def reconcile(centre: str, day: Day, as_json: AsJson = False) -> None:
    """Ask a centre's accounting again for a day, and hold it against our charges and the settlement; exit status 1
    where they differ. Of days that are over this happens by itself."""
    with session.client() as client:
        _tell(client.reconcile(centre, day), as_json=as_json)


def collect(centre: str, day: Day, as_json: AsJson = False) -> None:
    """Read a centre's accounting of a day again, and meter, charge and end what was missed: of what ended more than two
    days ago this does not happen by itself. Again is safe."""
    with session.client() as client:
        done = client.collect(centre, day)
    if as_json:
        show.as_json(done)
        return
    told = say(
        f"new {done.new}, corrected {done.corrected}, known {done.known}; of no project {done.unclaimed}; waiting for "
        f"their job's id {done.waiting}",
        f"新增 {done.new}，更正 {done.corrected}，已有 {done.known}；无所属课题组 {done.unclaimed}；"
        f"等待作业编号 {done.waiting}",
    )
    print(plain(told))


def reconciliation(centre: str, day: Day, as_json: AsJson = False) -> None:
    """Show what the last look at a day found; exit status 1 where the books differ."""
    with session.client() as client:
        _tell(client.reconciliation(centre, day), as_json=as_json)


def reconciliations(
    month: Annotated[
        str | None,
        typer.Option(
            parser=a_month, metavar="MONTH", help="Such as 2026-06; else this month, or every one of --centre."
        ),
    ] = None,
    centre: Annotated[str | None, typer.Option()] = None,
    differing: Annotated[bool, typer.Option("--differing", help="Leave out days that agree.")] = False,
    as_json: AsJson = False,
) -> None:
    """List the last look at each day of a month, or of every month of a centre."""
    with session.client() as client:
        found = client.reconciliations(month, centre, differing=differing)
    if as_json:
        show.as_json(found)
        return
    rows = [
        (x.centre, x.day, kind(x.state, DAYS), x.records, x.untold, x.accounted.amount, x.charged.amount,
         x.settled.amount,
         x.differences, x.off.amount, x.reason_en and say(x.reason_en, x.reason_zh or ""))
        for x in found.items
    ]  # fmt: skip
    heads = "centre day state records untold accounted charged settled differences off reason"
    show.table(heads.split(), rows)


def close(
    month: Annotated[str, typer.Argument(parser=a_month, metavar="MONTH", help="Such as 2026-06; it must be over.")],
    anyway: Annotated[bool, typer.Option("--anyway", help="Also where its books do not agree.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what stands against it.")] = False,
    as_json: AsJson = False,
) -> None:
    """Close a month's books, once and for all. With --dry-run exit status 1 where something stands against it."""
    with session.client() as client:
        if dry_run:
            _tell_closing(client.closing(month), as_json=as_json)
            return
        made = client.close_period(month, anyway=anyway)
    if as_json:
        show.as_json(made)
        return
    print(say("closed", "已关账") if made.is_new else plain(_closed_before(made.later_closed)))
    if made.unreconciled:
        text = say(
            "Days whose books do not agree; what a correction charges falls into the next month:",
            "以下日期账目尚不一致；更正产生的费用计入下月：",
        )
        show.errors.print(plain(text), markup=False, highlight=False)
        show.table(["centre", "day", "state", "off"], [_open(one) for one in made.unreconciled])


def _closed_before(later: str | None) -> str:
    if later is None:
        return say("closed before", "此前已关账")
    return say(
        f"never closed itself: {later}, a later month, is closed, and so it takes no charge any more",
        f"该月本身从未关账：其后的 {later} 已关账，因此该月不再计入任何费用",
    )


def _tell_closing(found: ClosingModel, *, as_json: bool) -> None:
    against = [] if found.is_closed else list(_against(found))
    days = [] if found.is_closed else found.unreconciled
    if as_json:
        show.as_json(found)
    elif found.is_closed:
        print(plain(_closed_before(found.later_closed)))
    else:
        for said in against or ([] if days else [say("nothing stands against it", "可以关账")]):
            print(plain(said))
        if days:
            print(say("days whose books do not agree:", "以下日期账目尚不一致："))
            show.table(["centre", "day", "state", "off"], [_open(one) for one in days])
    if against or days:
        raise typer.Exit(1)


def _against(found: ClosingModel) -> Iterator[str]:
    if not found.is_over:
        yield say("the month is not over", "该月尚未结束")
    if found.open_before is not None:
        yield say(f"{found.open_before} is still open", f"{found.open_before} 尚未关账")
    if found.unrated:
        yield say(f"{found.unrated} usages are unrated", f"有 {found.unrated} 条用量尚未定价")
    if found.is_untouched:
        yield say(
            "nothing was charged in it, and no centre's accounting was read for it",
            "该月没有任何扣费，也未读取过任何超算中心的记账",
        )


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
            f"{found.records} records, {found.untold} more that the centre need not tell; accounted / charged {books}; "
            f"settled {found.settled.amount}",
            f"{found.records} 条记录，另有 {found.untold} 条超算中心无需提供；应计 / 已扣 {books}；"
            f"已结算 {found.settled.amount}",
        )
        print(plain(told if found.reason_en is None else say(found.reason_en, found.reason_zh or "")))
        rows = [
            (kind(one.cause, CAUSES), one.record_id, one.amount.amount, say(one.en, one.zh)) for one in found.mismatches
        ]
        if rows:
            show.table(["cause", "record", "amount", "reason"], rows)
    if found.state != "agrees":
        raise typer.Exit(1)


VERBS = (collect, reconcile, reconciliation, reconciliations, close)
