"""`paracloud-server`: the server's processes.

up              everything on this machine, until Ctrl-C
api, worker,    one process each, for a machine of its own (DATABASE_URL names the database)
authority
migrate         bring the database to the newest schema (DATABASE_OWNER_URL names who may; without it, DATABASE_URL)
authority-key   print the authority's public key, which centres trust
"""

import asyncio
import os
import sys
from typing import Annotated

import typer
import uvloop

from paracloud.app import processes
from paracloud.app.supervise import up as up_all
from paracloud.kit.errors import Invalid, ParacloudError
from paracloud.kit.log import configure_logs
from paracloud.kit.secret import Secret
from paracloud.kit.settings import Settings, read_settings
from paracloud.migrations.migrate import migrate as migrate_database
from paracloud.transports.authority import open_authority

app = typer.Typer(no_args_is_help=True, add_completion=False, help=__doc__)


@app.command()
def up(workers: Annotated[int, typer.Option(min=1, max=16)] = 2) -> None:
    """Everything on this machine: database, authority, API, workers."""
    settings = _settings()
    up_all(settings, os.environ, workers=workers)


@app.command()
def api() -> None:
    """The API alone."""
    settings = _settings()
    uvloop.run(processes.serve_api(settings, _named(settings.database_url)))


@app.command()
def worker() -> None:
    """One worker."""
    settings = _settings()
    uvloop.run(processes.work(settings, _named(settings.database_url)))


@app.command()
def authority() -> None:
    """The certificate authority: the only process that reads the signing key."""
    asyncio.run(processes.authority(_settings()))


@app.command("authority-key")
def authority_key() -> None:
    """Print the public key that centres trust; makes the key where there is none."""
    settings = _settings()
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    print(open_authority(settings.authority_key_file).public_key)


@app.command()
def migrate() -> None:
    """Bring the database to the newest schema, and the application's role to its grants."""
    settings = _settings()
    migrate_database(_named(settings.database_owner_url or settings.database_url))


def _settings() -> Settings:
    settings = read_settings(os.environ)
    configure_logs(settings.log_level)
    return settings


def _named(url: Secret | None) -> str:
    if url is None:
        raise Invalid(
            "Set DATABASE_URL, or let `up` start a database.", "请设置 DATABASE_URL，或使用 up 启动内置数据库。"
        )
    return url.reveal()


def main() -> None:
    try:
        app()
    except ParacloudError as error:
        print(error.en, error.zh, sep="\n", file=sys.stderr)
        raise SystemExit(1) from None


if __name__ == "__main__":
    main()
