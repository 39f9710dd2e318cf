"""`paracloud centre set NAME`: what a connected centre was connected with, to look at and to change."""

from pathlib import Path
from typing import Annotated

import typer

from paracloud.cli import session, show
from paracloud.cli.connect import pinned
from paracloud.cli.jobs import AsJson
from paracloud.cli.words import both, plain, word
from paracloud.client.client import Client
from paracloud.wire.surveys import HostKeyRequest
from paracloud.wire.terms import TermsModel, TermsRequest


def change(
    name: str,
    reason: Annotated[str | None, typer.Option(help="Why; it is kept, with your name.")] = None,
    host: Annotated[str | None, typer.Option(help="Another name or address of its login node.")] = None,
    port: int | None = None,
    new_key: Annotated[bool, typer.Option("--new-key", help="Its machine has another host key: pin that one.")] = False,
    fingerprint: Annotated[
        str | None, typer.Option(help="Of its host key, as the centre tells it: SHA256:…; otherwise you are asked.")
    ] = None,
    host_key: Annotated[Path | None, typer.Option(help="Or a file with the host's public key.")] = None,
    commands_per_minute: Annotated[int | None, typer.Option(help="The published budget of scheduler commands.")] = None,
    patience_seconds: Annotated[
        int | None, typer.Option(help="How long a job may be missing before it is lost.")
    ] = None,
    overrun_seconds: Annotated[
        int | None, typer.Option(help="How long beyond its limit a job may be charged at most.")
    ] = None,
    region: str | None = None,
    as_json: AsJson = False,
) -> None:
    """Change what a centre was connected with; what is not named stays. Its address: the same scheduler, by another
    door, whose host key is shown and pinned as when it was connected. Without any option: show it."""
    given = {
        "host": host, "port": port, "commands_per_minute": commands_per_minute, "patience_seconds": patience_seconds,
        "overrun_seconds": overrun_seconds, "region": region,
    }  # fmt: skip
    changes: dict[str, object] = {field: value for field, value in given.items() if value is not None}
    is_rekeyed = bool({"host", "port"} & changes.keys()) or new_key or fingerprint is not None or host_key is not None
    if (bool(changes) or is_rekeyed) != (reason is not None):
        en = "Say what is to change, and why, with --reason."
        raise typer.BadParameter(both(en, "请同时说明要更改的内容，并用 --reason 说明原因。"))
    with session.client() as client:
        if is_rekeyed:
            changes["host_key"] = _pinned(client, name, host, port, fingerprint, host_key)
        if reason is None:
            found = client.terms(name)
        else:
            found = client.change_terms(name, TermsRequest.model_validate({**changes, "reason": reason}))
    if as_json:
        show.as_json(found)
    else:
        _show(found)


def _pinned(
    client: Client, name: str, host: str | None, port: int | None, fingerprint: str | None, file: Path | None
) -> str:
    known = client.terms(name)
    return pinned(client, HostKeyRequest(host=host or known.host, port=port or known.port), fingerprint, file)


def _show(found: TermsModel) -> None:
    address = found.host if found.port == 22 else f"{found.host}:{found.port}"
    row = (
        found.centre, address, found.service_account, found.commands_per_minute, found.patience_seconds,
        found.overrun_seconds, found.region or None,
    )  # fmt: skip
    headings = ["centre", "address", "account", "budget/min", "patience seconds", "overrun seconds", "region"]
    show.table(headings, [row])
    show.console.print(plain(f"{word('host key')}: {found.host_key}"), markup=False, soft_wrap=True)
