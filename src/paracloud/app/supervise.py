"""The whole server on one machine: database, authority, API, workers, each a process that ends with this one."""

import asyncio
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from urllib.request import urlopen

from paracloud.app.bootstrap import bootstrap
from paracloud.app.compose import Composed
from paracloud.kit.errors import Unreachable
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.kit.settings import Settings
from paracloud.migrations.migrate import migrate

READY_SECONDS = 60.0
STOP_SECONDS = 15.0
TOKEN_FILE = "operator.token"  # noqa: S105  # a file's name


def up(settings: Settings, environment: Mapping[str, str], *, workers: int) -> None:
    """Until SIGINT or SIGTERM. Everything that stops by itself stops the rest."""
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, lambda *_: signal.raise_signal(signal.SIGINT))
    with _database(settings) as url:
        migrate(url)
        children = dict(environment) | {
            "DATABASE_URL": url,
            "PARACLOUD_STATE_FOLDER": str(settings.state_folder),
            "PARACLOUD_API_PORT": str(settings.api_port),
        }
        with _children(["authority", "api", *["worker"] * workers], children) as processes:
            asyncio.run(_first_operator(settings, url))
            _await_api(settings, processes)
            print(f"The API answers at http://{settings.api_host}:{settings.api_port}/docs", flush=True)
            _wait(processes)


@contextmanager
def _database(settings: Settings) -> Iterator[str]:
    if settings.database_url is not None:
        yield settings.database_url.reveal()
        return
    with EmbeddedPostgres(settings.database_folder) as server:
        yield server.url


@contextmanager
def _children(words: list[str], environment: Mapping[str, str]) -> Iterator[list[subprocess.Popen[bytes]]]:
    processes = [
        subprocess.Popen(
            ["setpriv", "--pdeathsig", "TERM", sys.executable, "-m", "paracloud.app.main", word],
            env=dict(environment),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        for word in words
    ]
    try:
        yield processes
    except KeyboardInterrupt:
        return
    finally:
        for process in processes:
            process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for process in processes:
            try:
                process.wait(max(0.1, deadline - time.monotonic()))
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def _first_operator(settings: Settings, url: str) -> None:
    composed = Composed(settings, url)
    try:
        await bootstrap(composed, settings.state_folder / TOKEN_FILE)
    finally:
        await composed.close()


def _await_api(settings: Settings, processes: list[subprocess.Popen[bytes]]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and all(process.poll() is None for process in processes):
        try:
            with urlopen(f"http://{settings.api_host}:{settings.api_port}/healthz", timeout=2):
                return
        except OSError:
            time.sleep(0.05)
    raise Unreachable(
        f"The API did not come up on port {settings.api_port}; see the lines above.", "API 未能启动，请查看上面的日志。"
    )


def _wait(processes: list[subprocess.Popen[bytes]]) -> None:
    while True:
        for process in processes:
            if (status := process.poll()) is not None:
                raise Unreachable(f"A server process ended with {status}.", f"服务进程退出，状态 {status}。")
        time.sleep(0.5)
