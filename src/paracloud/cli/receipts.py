"""`paracloud receipt …`: signed receipts of what was charged, fetched and verified."""

from base64 import b64decode
from dataclasses import asdict
from pathlib import Path
from typing import Annotated
from uuid import UUID

import typer

from paracloud.billing.receipt import NotWhole, Verified, key_of, verify
from paracloud.cli import session, show
from paracloud.cli.jobs import AsJson, Project
from paracloud.cli.keep import keep
from paracloud.cli.reading import read_text
from paracloud.cli.submission import only_project
from paracloud.cli.words import both, plain, say
from paracloud.client.client import Client
from paracloud.client.errors import ApiError
from paracloud.kit.money import Money

app = typer.Typer(no_args_is_help=True, help=say("Signed receipts of what was charged.", "计费签名收据。"))
KEY_BYTES = 32


@app.command()
def fetch(
    file: Path,
    project: Project = None,
    start: Annotated[int, typer.Option("--from", help="From this number on.")] = 1,
) -> None:
    """Write a project's receipts to FILE: all that was charged until now."""
    with session.client() as client:
        wanted = project or only_project(client)
        _issue(client, wanted)
        keep(file, client.receipts(wanted, start))
    print(plain(str(file)))


@app.command("verify")
def verify_file(
    file: Path,
    key: Annotated[
        list[str] | None,
        typer.Option(help="A public key that must have signed, base64 or a file; once for each that you trust."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Check a file of receipts, without a server: every byte of it, and that the amounts come out. Exit status 1 where
    it is not as it was signed, or an amount is another."""
    try:
        with file.open("rb") as lines:
            found = verify(lines, [_public(one) for one in key or ()])
    except NotWhole as wrong:
        text = both(f"{file}, line {wrong.line}: {wrong.en}.", f"{file} 第 {wrong.line} 行：{wrong.zh}。")
        show.errors.print(plain(text), markup=False, highlight=False)
        raise typer.Exit(1) from None
    if as_json:
        show.as_json(
            {"project": found.project, "first": found.first, "count": found.count, "micro": found.micro,
             "since": found.since, "until": found.until, "keys": list(found.keys), "is_vouched": found.is_vouched,
             "reckoned": found.reckoned,
             "off": {str(number): [asdict(one) for one in off] for number, off in found.off.items()}}
        )  # fmt: skip
    else:
        _tell(found)
    if found.off:
        raise typer.Exit(1)


@app.command()
def keys(as_json: AsJson = False) -> None:
    """Show the public keys that ever signed receipts: keep them apart from the receipts."""
    with session.client() as client:
        found = client.receipt_keys()
    if as_json:
        show.as_json(found)
    else:
        show.table(["key", "public", "signs now"], [(one.id, one.public, one.signs_now) for one in found.items])


def _issue(client: Client, project: UUID) -> None:
    try:
        while not client.issue_receipts(project).is_all:
            pass
    except ApiError as refused:
        if refused.status != 403:  # whoever only reads takes what there is
            raise


def _tell(found: Verified) -> None:
    sums = ", ".join(f"{Money(micro, currency)} {currency}" for currency, micro in found.micro.items()) or "0"
    said = say(
        f"Whole: receipts of project {found.project}: {found.count}, from number {found.first}, charged {found.since} "
        f"to {found.until}, together {sums}.",
        f"完整：课题组 {found.project} 的 {found.count} 张收据，自第 {found.first} 张起，计费时间 {found.since} 至 "
        f"{found.until}，合计 {sums}。",
    )
    print(plain(said))
    _tell_amounts(found)
    names = ", ".join(found.keys)
    if not found.is_vouched:
        print(
            plain(
                say(
                    f"The key ({names}) is the file's own: nobody vouches for it. Give --key with the one you know.",
                    f"密钥（{names}）取自文件本身，未经证实；请用 --key 指定您已知的公钥。",
                )
            )
        )


def _tell_amounts(found: Verified) -> None:
    print(
        say(
            f"Amounts reckoned again from the receipts' own fields: {found.reckoned}; {len(found.off)} differ.",
            f"按收据自身内容重新计算的金额：{found.reckoned} 张，其中不符 {len(found.off)} 张。",
        )
    )
    for number, off in found.off.items():
        for one in off:
            said = say(
                f"Number {number}: {one.field} is {one.says}; the rest of it comes to {one.comes_to}.",
                f"第 {number} 张：{one.field} 为 {one.says}，按其余内容应为 {one.comes_to}。",
            )
            print(plain(said))


def _public(text: str) -> str:
    file = Path(text)
    public = read_text(file).strip() if file.is_file() else text
    try:
        is_key = len(b64decode(public, validate=True)) == KEY_BYTES and bool(key_of(public))
    except ValueError:
        is_key = False
    if not is_key:
        raise typer.BadParameter(
            both(
                "--key: an Ed25519 public key in base64, or a file with one.",
                "--key：应为 Ed25519 公钥或其文件。",
            )
        )
    return public
