"""The whole server on one machine: database, authority, API, workers, each a process that is started again when it
ends, and that ends with this one."""

import asyncio
import signal
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from urllib.request import urlopen

import structlog

from paracloud.app.bootstrap import bootstrap
from paracloud.app.children import Backoff, Child, keep, running
from paracloud.app.compose import Composed
from paracloud.kit.database import APP_ROLE
from paracloud.kit.errors import ParacloudError, Unreachable
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.kit.settings import Settings
from paracloud.migrations.migrate import migrate

log = structlog.get_logger()

READY_SECONDS = 60.0
TOKEN_FILE = "operator.token"  # noqa: S105  # a file's name


def up(settings: Settings, environment: Mapping[str, str], *, workers: int) -> None:
    """Until SIGINT or SIGTERM. What does not even start is an error; what ends later is started again."""
    settings.state_folder.mkdir(parents=True, exist_ok=True)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with suppress(KeyboardInterrupt), _database(settings) as database:
        children = _without_owner(environment) | {
            "DATABASE_URL": database.url,
            "PARACLOUD_STATE_FOLDER": str(settings.state_folder),
            "PARACLOUD_API_PORT": str(settings.api_port),
        }
        with running(["authority"], children) as first:
            _await(settings.authority_socket.exists, first, "the authority", "证书签发进程")
            with running(["api", *["worker"] * workers], children) as rest:
                asyncio.run(_first_operator(settings, database.url))
                _await(lambda: _answers(settings), rest, "the API", "API 服务")
                print(f"The API answers at http://{settings.api_host}:{settings.api_port}/docs", flush=True)
                keep([database.tend, *(child.tend for child in (*first, *rest))])


class _Database:
    """The one that the settings name, which is another's to keep running, or one of our own; at the newest schema.
    `url` is the application's way to it."""

    def __init__(self, url: str, own: EmbeddedPostgres | None) -> None:
        self.url, self._own = url, own
        self._backoff, self._due = Backoff(), 0.0
        self._backoff.started(time.monotonic())

    def tend(self) -> None:
        if self._own is None or self._own.is_running or time.monotonic() < self._due:
            return
        now = time.monotonic()
        self._due = self._backoff.ended(now)
        self._backoff.started(now)
        log.error("process.ended", process="database")
        try:
            self._own.restart()
        except ParacloudError as trouble:
            log.exception("database.not_started", code=trouble.code)


@contextmanager
def _database(settings: Settings) -> Iterator[_Database]:
    if settings.database_url is None:
        with EmbeddedPostgres(settings.database_folder) as server:
            migrate(server.url, app_password=server.app_password)
            yield _Database(server.app_url, server)
        return
    migrate((settings.database_owner_url or settings.database_url).reveal())
    if settings.database_owner_url is None:
        log.warning(
            "database.one_login", role=APP_ROLE, better="DATABASE_OWNER_URL, and a DATABASE_URL of the role's own"
        )
    yield _Database(settings.database_url.reveal(), None)


def _without_owner(environment: Mapping[str, str]) -> dict[str, str]:
    """No process that serves or works can ask for the owner's rights."""
    return {name: text for name, text in environment.items() if not name.endswith("DATABASE_OWNER_URL")}


async def _first_operator(settings: Settings, url: str) -> None:
    composed = Composed(settings, url)
    try:
        await bootstrap(composed, settings.state_folder / TOKEN_FILE)
    finally:
        await composed.close()


def _answers(settings: Settings) -> bool:
    try:
        with urlopen(f"http://{settings.api_host}:{settings.api_port}/healthz", timeout=2):
            return True
    except OSError:
        return False


def _await(is_so: Callable[[], bool], children: Sequence[Child], en: str, zh: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline and not any(child.has_ended for child in children):
        if is_so():
            return
        time.sleep(0.05)
    raise Unreachable(f"{en} did not come up; see the lines above.", f"{zh}未能启动，请查看上面的日志。")
