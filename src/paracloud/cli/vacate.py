"""`paracloud admin vacate`: a queue that is gone for good, or a whole centre whose machines are off."""

import sys
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.wire.gone import GivenUpModel, GoneRequest
from paracloud.wire.vacated import VacatedModel, VacateRequest


def vacate(
    centre: str,
    queue: Annotated[str | None, typer.Argument(help="Which will not come back; or --gone, for the centre.")] = None,
    gone: Annotated[
        bool, typer.Option("--gone", help="The machines of the whole centre are off, and not merely out of reach.")
    ] = False,
    reason: Annotated[str | None, typer.Option(help="How it is known that they are off; its users read it.")] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: AsJson = False,
) -> None:
    """Say that a queue of a centre is gone for good: who waits for it moves to another centre or ends. Or, with --gone,
    that the centre's machines are off: what was sent there and has not started begins anew at another one."""
    if gone == (queue is not None) or gone != (reason is not None):
        en = "Name a queue; or say --gone, with --reason, of the whole centre."
        raise typer.BadParameter(both(en, "请指定分区；或对整个超算中心使用 --gone 并用 --reason 说明依据。"))
    with session.client() as client:
        if queue is not None:
            _vacate_queue(client, centre, queue, as_json=as_json)
        else:
            _give_up(client, centre, reason or "", is_sure=yes, as_json=as_json)


def _vacate_queue(client: Client, centre: str, queue: str, *, as_json: bool) -> None:
    found, has_more = {"moved": 0, "leaving": 0, "ended": 0, "cancelling": 0}, True
    while has_more:
        done = client.vacate(centre, VacateRequest(queue=queue))
        found = {name: count + getattr(done, name) for name, count in found.items()}
        has_more = done.has_more
    if as_json:
        show.as_json(VacatedModel(**found, has_more=False))
        return
    show.table(["centre", "queue", "moved", "leaving", "ended", "cancelling"], [(centre, queue, *found.values())])


def _give_up(client: Client, centre: str, reason: str, *, is_sure: bool, as_json: bool) -> None:
    if not is_sure:
        _confirm(client, centre)
    done = client.give_up(centre, GoneRequest(reason=reason))
    moved, stays = done.moved, list(done.stays)
    while done.last is not None:
        done = client.give_up(centre, GoneRequest(reason=reason, after=done.last))
        moved, stays = moved + done.moved, [*stays, *done.stays]
    if as_json:
        show.as_json(GivenUpModel(moved=moved, stays=stays, last=None))
        return
    show.table(["centre", "moved", "staying"], [(centre, moved, len(stays))])
    if stays:
        show.table(["job", "reason"], [(one.job, say(one.en, one.zh)) for one in stays])


def _confirm(client: Client, centre: str) -> None:
    found = client.stranded(centre)
    en = (
        f"{found.stranded} jobs that were sent to {centre} and are not known to have started begin anew elsewhere; "
        f"{found.watched} others are watched until its accounting answers.\n"
        f"What {centre} has run of the first, or will, is paid by the platform.\n"
    )
    zh = (
        f"已发往 {centre} 且未见开始的 {found.stranded} 个作业将在其他中心重新开始；"
        f"其余 {found.watched} 个作业等待其记账数据。\n{centre} 已运行或仍会运行的部分由平台付费。\n"
    )
    if not sys.stdin.isatty():
        more = both("If its machines are off, run this again with --yes.", "如确已停机，请加 --yes 重新运行。")
        raise typer.BadParameter(plain(say(en, zh) + more))
    typer.confirm(plain(say(f"{en}Are its machines off?", f"{zh}其机器是否确已停机？")), abort=True, err=True)
