"""`paracloud admin …`: what the operator does. Every verb prints the id of what it made."""

import re
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer
from pydantic import BaseModel

from paracloud.cli import session, show
from paracloud.cli.ids import Id, an_id
from paracloud.cli.jobs import AsJson
from paracloud.cli.reading import read_text
from paracloud.cli.words import both, plain, say
from paracloud.wire.account import (
    BookedModel,
    CentreRequest,
    MemberRequest,
    OrganisationRequest,
    ProductLineRequest,
    ProjectRequest,
    ReversalRequest,
    TokenRequest,
    TopUpRequest,
    UserRequest,
)

app = typer.Typer(
    no_args_is_help=True,
    help=say(
        "What the operator does: customers, money, centres, prices, the check.",
        "运营管理：客户、资金、超算中心、价格与核查。",
    ),
)
ACCOUNTS_MOST = 10_000
Line = Annotated[str, typer.Option(help="general, industry or ai.")]
_RANGE = re.compile(r"([^\[\]]*)\[(\d+)-(\d+)\]")


@app.command()
def organisation(name: str, category: str = "university", as_json: AsJson = False) -> None:
    """Open an organisation: university, institute, enterprise, government or individual."""
    make("organisations", OrganisationRequest.model_validate({"name": name, "category": category}), as_json=as_json)


@app.command()
def project(organisation: Id, name: str, product_line: Line = "general", as_json: AsJson = False) -> None:
    """Open a project of an organisation."""
    tree = {"organisation": organisation, "name": name, "product_line": product_line}
    make("projects", ProjectRequest.model_validate(tree), as_json=as_json)


@app.command("product-line")
def product_line(project: Id, line: str, as_json: AsJson = False) -> None:
    """Move a project to another product line: general, industry or ai. What was submitted before keeps its prices."""
    body = ProductLineRequest.model_validate({"product_line": line})
    with session.client() as client:
        found = client.change_product_line(project, body)
    if as_json:
        show.as_json(found)
    else:
        print(say(f"{found.product_line}, was {found.was}", f"{found.product_line}，原为 {found.was}"))


@app.command()
def user(
    login: str,
    operator: Annotated[bool, typer.Option("--operator", help="May do what is listed here.")] = False,
    as_json: AsJson = False,
) -> None:
    """Open a user."""
    make("users", UserRequest(login=login, is_operator=operator), as_json=as_json)


@app.command()
def member(login: str, project: Id, role: str = "member", as_json: AsJson = False) -> None:
    """Let a user use a project, or change the role there."""
    body = MemberRequest.model_validate({"login": login, "project": project, "role": role})
    with session.client() as client:
        client.add_member(body)
    tell(login, as_json=as_json)


@app.command()
def token(
    login: str,
    name: str = "first",
    scope: Annotated[list[str] | None, typer.Option(help="read or write; both otherwise.")] = None,
    days: int = 90,
    as_json: AsJson = False,
) -> None:
    """Issue a token for a user; it is shown this once."""
    body = TokenRequest.model_validate({"name": name, "scopes": scope or ["read", "write"], "days": days})
    with session.client() as client:
        issued = client.user_token(login, body)
    if as_json:
        show.as_json(issued)
    else:
        print(issued.token)


@app.command("top-up")
def top_up(project: Id, amount: str, key: str, as_json: AsJson = False) -> None:
    """Book money that came in. KEY is the payment's own number: the same payment counts once, and again it says so."""
    with session.client() as client:
        made = client.top_up(TopUpRequest(project=project, amount=amount, key=key))
    tell_booked(made, as_json=as_json)


@app.command()
def connect(
    name: str,
    host: Annotated[str | None, typer.Argument(help="None: only its history is kept, and nobody goes there.")] = None,
    host_key: Annotated[Path | None, typer.Option(help="A file with the host's public key, to be pinned.")] = None,
    service_account: Annotated[str | None, typer.Option(help="Lists the queue and reads the accounting.")] = None,
    account: Annotated[
        list[str] | None, typer.Option(help="Lent to projects: NAME, or a range such as hpc[001-040].")
    ] = None,
    title_en: str = "",
    title_zh: str = "",
    port: int = 22,
    dialect: str = "slurm",
    commands_per_minute: Annotated[int, typer.Option(help="The published budget of scheduler commands.")] = 240,
    patience_seconds: Annotated[int, typer.Option(help="How long a job may be missing before it is lost.")] = 600,
    overrun_seconds: Annotated[int, typer.Option(help="How long beyond its limit a job may be charged at most.")] = 120,
    region: str = "",
    as_json: AsJson = False,
) -> None:
    """Connect a centre; see the guide for what the centre does first. Without a host: keep its history alone; it can be
    connected later, under the same name."""
    key = "" if host_key is None else " ".join(read_text(host_key).split()[:2])
    lent = [one for text in account or () for one in spread(text)]
    body = CentreRequest(
        name=name, host=host, port=port, host_key=key, title_en=title_en or name, title_zh=title_zh or name,
        service_account=service_account, accounts=lent, dialect=dialect,
        commands_per_minute=commands_per_minute, patience_seconds=patience_seconds, overrun_seconds=overrun_seconds,
        region=region,
    )  # fmt: skip
    make("centres", body, as_json=as_json)


@app.command()
def reverse(
    entry: Id,
    reason: str,
    usage: Annotated[UUID | None, typer.Option(parser=an_id, help="Which, where the entry is several charges.")] = None,
    anyway: Annotated[
        bool, typer.Option("--anyway", help="Also a top-up that was spent, or the fee of nodes that stay dedicated.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Take a ledger entry back, with a reason."""
    make("reversals", ReversalRequest(entry=entry, reason=reason, usage=usage, anyway=anyway), as_json=as_json)


def make(what: str, body: BaseModel, *, as_json: bool) -> None:
    """Send it, and print the id of what was made."""
    with session.client() as client:
        made = client.operator(what, body)
    tell(made.id, as_json=as_json)


def tell(id_: str, *, as_json: bool) -> None:
    if as_json:
        show.as_json({"id": id_})
    else:
        print(plain(id_))


def tell_booked(made: BookedModel, *, as_json: bool) -> None:
    if as_json:
        show.as_json(made)
    else:
        print(plain(made.id if made.is_new else say(f"{made.id}: counted before", f"{made.id}：此前已入账")))


def spread(text: str) -> list[str]:
    """hpc[001-003] is hpc001, hpc002, hpc003."""
    found = _RANGE.fullmatch(text)
    if found is None:
        return [text]
    if not 0 <= int(found[3]) - int(found[2]) < ACCOUNTS_MOST:
        en = f"{text}: a range of 1 to {ACCOUNTS_MOST} accounts, the lower number first."
        raise typer.BadParameter(both(en, f"{text}：应为 1 至 {ACCOUNTS_MOST} 个账号的范围，小号在前。"))
    width = len(found[2])
    return [f"{found[1]}{number:0{width}}" for number in range(int(found[2]), int(found[3]) + 1)]
