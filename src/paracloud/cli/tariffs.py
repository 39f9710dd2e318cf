"""`paracloud admin …` on prices, contracts and the books: what it costs, and whether it is right."""

from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from paracloud.cli import session, show
from paracloud.cli.admin import make
from paracloud.cli.ids import Id, an_id
from paracloud.cli.jobs import AsJson
from paracloud.cli.kinds import PRODUCT_LINES, RULES, kind
from paracloud.cli.reading import read_json
from paracloud.cli.words import plain, say
from paracloud.wire.tariffs import ContractModel, ContractRequest, EndRequest, PriceModel, PriceRequest

From = Annotated[str | None, typer.Option("--from", help="Valid from this time on, ISO 8601 with zone; now otherwise.")]
AnId = Annotated[UUID | None, typer.Option(parser=an_id, help="That customer's own price.")]
To = Annotated[str | None, typer.Option("--to", help="Valid before this time; without an end otherwise.")]
Unseen = Annotated[bool, typer.Option("--unseen", help="Also of a queue that the centre is not seen to have.")]
At = Annotated[str | None, typer.Option(help="When, ISO 8601 with zone; now, otherwise.")]


def price(  # a command line's options
    centre: str,
    queue: str,
    core_hour: Annotated[str | None, typer.Argument(help="Yuan for a core-hour; or give --rule.")] = None,
    card_hour: Annotated[str | None, typer.Option(help="Yuan for a card-hour; 0 makes cards free.")] = None,
    rule: Annotated[Path | None, typer.Option(help="A JSON file with a charging rule.")] = None,
    product_line: Annotated[str, typer.Option(help="Of customers of this line alone: industry or ai.")] = "general",
    qos: Annotated[str | None, typer.Option(help="For this quality of service alone.")] = None,
    project: AnId = None,
    organisation: AnId = None,
    tiers: Annotated[Path | None, typer.Option(help="A JSON file with volume tiers upon a month's amounts.")] = None,
    unseen: Unseen = False,
    start: From = None,
    until: To = None,
    as_json: AsJson = False,
) -> None:
    """Add a price version for a queue: yuan for a core-hour and a card-hour, or a charging rule; for everybody, or for
    one customer. Without --card-hour it says nothing of cards: what uses any is listed as unrated."""
    tree = {"centre": centre, "queue": queue, "core_hour": core_hour, "card_hour": card_hour, "rule": _tree(rule)}
    whose = {"product_line": product_line, "qos": qos, "project": project, "organisation": organisation}
    more = {"tiers": _tree(tiers), "is_unseen": unseen, "valid_from": start, "valid_to": until}
    make("prices", PriceRequest.model_validate(tree | whose | more), as_json=as_json)


def contract(
    centre: str,
    share: Annotated[int, typer.Argument(help="The centre's share of each charge, in basis points: 8000 is 80 %.")],
    queue: Annotated[str | None, typer.Option(help="About this queue alone.")] = None,
    owner: Annotated[UUID | None, typer.Option(parser=an_id, help="Whose the nodes are.")] = None,
    owner_share: Annotated[int, typer.Option(help="That part, in basis points.")] = 0,
    share_tiers: Annotated[Path | None, typer.Option(help="A JSON file: parts of a month's gross, by tiers.")] = None,
    minimum: Annotated[
        str,
        typer.Option(
            help="Yuan a month that the centre gets at least by this contract: several contracts, several minimums."
        ),
    ] = "0",
    fixed: Annotated[str, typer.Option(help="Yuan a month for capacity that was bought, by this contract.")] = "0",
    unseen: Unseen = False,
    start: From = None,
    until: To = None,
    as_json: AsJson = False,
) -> None:
    """Add a co-construction contract with a centre."""
    tree = {"centre": centre, "share_basis_points": share, "queue": queue, "valid_from": start, "valid_to": until}
    lent = {"owner": owner, "owner_basis_points": owner_share}
    month = {"share_tiers": _tree(share_tiers), "minimum": minimum, "fixed": fixed, "is_unseen": unseen}
    make("contracts", ContractRequest.model_validate(tree | lent | month), as_json=as_json)


def check(as_json: AsJson = False) -> None:
    """Check the ledger; exit status 1 where anything differs."""
    with session.client() as client:
        found = client.check()
    if as_json:
        show.as_json(found)
    else:
        counts = found.ledger_sum_micro, len(found.differences)
        print(say("ledger sum {}, differences {}", "总账合计 {}，差异 {} 处").format(*counts))
        for one in found.differences:
            print(plain(f"  {kind(one.what, RULES)}: {one.where} {one.micro:+}"))
    if found.differences or found.ledger_sum_micro:
        raise typer.Exit(1)


def prices(as_json: AsJson = False) -> None:
    """List every price version."""
    with session.client() as client:
        found = client.prices()
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.id, f"{one.centre}/{one.queue}", kind(one.product_line, PRODUCT_LINES), one.qos,
         one.project or one.organisation, one.core_hour if one.rule is None else say("rule", "计费规则"), one.card_hour,
         show.moment(one.valid_from), _until(one), one.created_by, one.ended_by)
        for one in found.items
    ]  # fmt: skip
    headings = ["price", "where", "line", "qos", "customer", "core-hour", "card-hour", "from", "to", "by", "ended by"]
    show.table(headings, rows)


def contracts(as_json: AsJson = False) -> None:
    """List every contract with a centre or about one of its queues: shares, terms for the month, validity."""
    with session.client() as client:
        found = client.contracts()
    if as_json:
        show.as_json(found)
        return
    rows = [
        (one.id, one.centre if one.queue is None else f"{one.centre}/{one.queue}", one.share_basis_points, one.owner,
         one.owner_basis_points or None, _steps(one), one.minimum.amount, one.fixed.amount,
         show.moment(one.valid_from), _until(one), one.created_by, one.ended_by)
        for one in found.items
    ]  # fmt: skip
    headings = ["contract", "where", "share", "owner", "owner share", "tiers", "minimum", "fixed", "from", "to", "by"]
    show.table([*headings, "ended by"], rows)


def _steps(one: ContractModel) -> str | None:
    return None if one.share_tiers is None else ", ".join(f"{step.starts_at}: {step.rate}" for step in one.share_tiers)


def _until(one: PriceModel | ContractModel) -> str | None:
    if one.valid_to == one.valid_from:
        return say("withdrawn", "已撤回")
    return show.moment(one.valid_to) if one.valid_to else None


def end_price(price: Id, at: At = None, as_json: AsJson = False) -> None:
    """End a price version, now or later, or withdraw one that has not begun; jobs accepted with it keep it."""
    end("prices", str(price), at, as_json=as_json)


def end_contract(
    centre: str,
    queue: Annotated[str | None, typer.Option(help="This queue's own contract.")] = None,
    at: At = None,
    as_json: AsJson = False,
) -> None:
    """End the contract with a centre, or about one of its queues, now or later; with --at its beginning, withdraw one
    that has not begun."""
    end("contracts", centre, at, queue=queue, as_json=as_json)


def unrated(
    charge: Annotated[bool, typer.Option("--charge", help="Charge what has its price and contract by now.")] = False,
    as_json: AsJson = False,
) -> None:
    """List usage that no price or contract fits, for `rate` too; exit status 1 where there is any."""
    with session.client() as client:
        done = client.charge_unrated() if charge else None
        found = client.unrated()
    if as_json:
        show.as_json(found)
    else:
        if done is not None:
            print(say(f"{done.charged} charged, {done.left} left", f"已计费 {done.charged} 条，剩余 {done.left} 条"))
        rows = [
            (one.usage, one.record_id, f"{one.centre}/{one.queue}", one.project, say(one.en, one.zh))
            for one in found.items
        ]
        show.table(["usage", "record", "where", "project", "reason"], rows)
    if found.items:
        raise typer.Exit(1)


def end(what: str, which: str, at: str | None, *, as_json: bool, queue: str | None = None) -> None:
    """Prices, contracts or dedications."""
    with session.client() as client:
        made = client.end(what, which, EndRequest.model_validate({"at": at}), queue)
    if as_json:
        show.as_json(made)
    else:
        print(plain(made.id))


def _tree(file: Path | None) -> object:
    return None if file is None else read_json(file)


VERBS = (price, prices, end_price, contract, contracts, end_contract, unrated, check)
