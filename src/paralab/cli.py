"""`paralab`: real centres on this machine."""

import json
import shutil
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from paralab.errors import LabError
from paralab.inventory import default_inventory, parse
from paralab.lab import folder_of, home, up
from paralab.running import RunningLab, load, processes_of

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)
Name = Annotated[str, typer.Option(help="The lab's name; several can run at once.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


@app.command("up")
def up_command(
    inventory: Annotated[Path | None, typer.Argument(help="TOML; without it, two default centres.")] = None,
    name: Name = "lab",
    trust: Annotated[Path | None, typer.Option(help="Public key of the authority to trust.")] = None,
    as_json: AsJson = False,
) -> None:
    """Build and start the centres of an inventory."""
    wanted = default_inventory() if inventory is None else parse(_read(inventory))
    key = _read(trust) if trust else ""
    with Console(stderr=True).status(f"Building {', '.join(centre.name for centre in wanted.centres)} …"):
        running = up(wanted, name=name, trust=key)
    _show(running, as_json=as_json)


@app.command()
def down(name: Name = "lab") -> None:
    """End a lab: no process, mount, socket or folder stays. Also clears what a killed one left."""
    folder = folder_of(name, home())
    if load(folder) is None and folder.exists() and not processes_of(folder):
        shutil.rmtree(folder)
        return
    _demand(name).down()


@app.command()
def status(name: Name = "lab", as_json: AsJson = False) -> None:
    """Show what runs."""
    _show(_demand(name), as_json=as_json)


@app.command("exec", context_settings={"ignore_unknown_options": True})
def exec_command(
    centre: str,
    argv: list[str],
    name: Name = "lab",
    account: Annotated[str, typer.Option(help="root, or one of the centre's accounts.")] = "root",
) -> None:
    """Run a command inside a centre: paralab exec east -- sinfo"""
    running = _demand(name)
    if centre not in running.centres:
        names = ", ".join(running.centres)
        raise LabError(f"There is no centre {centre}; name one of {names}.", f"没有超算中心 {centre}；请指定 {names}。")
    done = running.centres[centre].exec(argv, account=account)
    sys.stdout.write(done.stdout)
    sys.stderr.write(done.stderr)
    raise typer.Exit(done.returncode)


@app.command()
def trust(key: Path, name: Name = "lab") -> None:
    """Let the centres accept certificates of this authority (its public key)."""
    _demand(name).trust(_read(key))


def describe(running: RunningLab) -> dict[str, Any]:
    """What a platform needs to connect the centres."""
    return {
        name: {
            "scheduler": centre.site.centre.scheduler,
            "host": centre.host,
            "port": centre.port,
            "host_key": centre.host_key,
            "service_account": centre.service_account,
            "accounts": list(centre.pool),
            "partitions": {p.name: {"nodes": p.nodes, "cores": p.cores} for p in centre.site.centre.partitions},
        }
        for name, centre in running.centres.items()
    }


def _show(running: RunningLab, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(describe(running)))
        return
    table = Table("centre", "scheduler", "ssh", "partitions", "accounts")
    for name, centre in running.centres.items():
        shape = centre.site.centre
        partitions = ", ".join(f"{p.name} {p.nodes}x{p.cores}" for p in shape.partitions)
        place, accounts = f"{centre.host}:{centre.port}", f"{shape.pool[0]} … {shape.pool[-1]}"
        table.add_row(name, shape.scheduler, place, partitions, accounts)
    Console().print(table)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise LabError(
            f"{file} cannot be read ({error}); name a text file.", f"无法读取 {file}（{error}）；请指定文本文件。"
        ) from error


def _demand(name: str) -> RunningLab:
    running = load(folder_of(name, home()))
    if running is None:
        raise LabError(
            f"No lab {name} runs; `paralab up` builds one.", f"没有运行中的实验环境 {name}；可用 paralab up 搭建。"
        )
    return running


def main() -> None:
    try:
        app()
    except LabError as error:
        print(error.en, error.zh, sep="\n", file=sys.stderr)
        raise SystemExit(1) from None
