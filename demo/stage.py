"""A whole stage on this machine: real centres, a real server, an operator, a funded project and a user. The demo, the
stories and the benchmarks all play on it, through the public interfaces alone."""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import mkdtemp
from types import TracebackType
from typing import Self
from urllib.request import urlopen
from uuid import UUID

from paracloud.client.client import Client
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.kit.settings import read_settings
from paracloud.wire.account import (
    CentreRequest,
    MemberRequest,
    OrganisationRequest,
    ProjectRequest,
    TokenRequest,
    TopUpRequest,
    UserRequest,
)
from paracloud.wire.tariffs import ContractRequest, PriceRequest
from paralab.inventory import Inventory, default_inventory
from paralab.lab import up
from paralab.running import RunningLab

READY_SECONDS = 90.0
SERVER = (sys.executable, "-m", "paracloud.app.main")
PRICES: dict[str, dict[str, tuple[str, str | None]]] = {
    "east": {"cpu": ("0.10", None), "debug": ("0.05", None), "gpu": ("0.12", "6.00")},
    "west": {"cpu": ("0.08", None), "debug": ("0.04", None), "gpu": ("0.10", "9.00")},
}
"""Yuan for a core-hour and a card-hour; None: no word of cards."""
SHARES = {"east": 8000, "west": 7500}
TITLES = {
    "east": ("East Supercomputing Centre", "东部超算中心"),
    "west": ("West Supercomputing Centre", "西部超算中心"),
}


@dataclass(frozen=True)
class Tenant:
    """A project with a user of its own."""

    project: UUID
    client: Client
    token: str


class Stage:
    """Use as a context manager: everything is built on entering and removed on leaving, also when that was a crash."""

    def __init__(
        self,
        name: str,
        inventory: Inventory | None = None,
        *,
        patience_seconds: int = 600,
        commands_per_minute: int = 240,
        spare_accounts: int = 0,
    ) -> None:
        self.name, self.inventory = name, inventory or default_inventory()
        self.patience_seconds, self.commands_per_minute = patience_seconds, commands_per_minute
        self.spare_accounts = spare_accounts
        """Of each centre's pool, that are not lent: an account is lent once."""
        self.url = ""
        self.folder = Path()
        self.lab: RunningLab
        self.operator: Client
        self._server: subprocess.Popen[bytes] | None = None
        self._clients = ExitStack()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def open(self) -> Self:
        self.folder = Path(mkdtemp(prefix=f"paracloud-{self.name}-", dir="/var/tmp"))
        self.folder.chmod(0o755)
        try:
            self.build_lab()
            self.start_server()
            self.connect_centres()
        except BaseException:
            self.close()
            raise
        return self

    def close(self) -> None:
        self._clients.close()
        self.stop_server()
        if hasattr(self, "lab"):
            self.lab.down()
        shutil.rmtree(self.folder, ignore_errors=True)

    def build_lab(self) -> None:
        self.lab = up(self.inventory, name=f"{self.name}-{os.getpid()}", attached=True)

    def environment(self) -> dict[str, str]:
        return dict(os.environ) | {
            "PARACLOUD_STATE_FOLDER": str(self.folder / "state"),
            "PARACLOUD_API_PORT": str(self._port),
            "PARACLOUD_LEASE_SECONDS": "8",
            "PARACLOUD_LEASE_MARGIN_SECONDS": "2",
        }

    def start_server(self) -> None:
        self._port = _free_port()
        key = subprocess.run(
            [*SERVER, "authority-key"], env=self.environment(), check=True, capture_output=True, text=True
        ).stdout
        self.lab.trust(key)
        self.resume_server()

    def resume_server(self, *, workers: int = 2) -> None:
        """Start it with the state that it left, on the same port."""
        with (self.folder / "server.log").open("ab") as log:
            self._server = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", *SERVER, "up", "--workers", str(workers)],
                env=self.environment(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        self.url = f"http://127.0.0.1:{self._port}"
        self._await_server()
        self.operator = self.client((self.folder / "state/operator.token").read_text().strip())

    def client(self, token: str) -> Client:
        """Closed with the stage."""
        return self._clients.enter_context(Client(self.url, token))

    def stop_server(self) -> None:
        server, self._server = self._server, None
        if server is not None:
            server.terminate()
            with suppress(subprocess.TimeoutExpired):
                server.wait(30)
            server.kill()
            server.wait()

    @property
    def server_pid(self) -> int:
        assert self._server is not None, "the server runs"
        return self._server.pid

    @property
    def database_url(self) -> str:
        """The server's own database, for whoever checks its books from outside."""
        return EmbeddedPostgres(read_settings(self.environment()).database_folder).url

    def connect_centres(self) -> None:
        for name, centre in self.lab.centres.items():
            lent = list(centre.pool[: len(centre.pool) - self.spare_accounts])
            en, zh = TITLES.get(name, (name, name))
            self.operator.operator(
                "centres",
                CentreRequest(
                    name=name, title_en=en, title_zh=zh, host=centre.host, port=centre.port, host_key=centre.host_key,
                    service_account=centre.service_account, accounts=lent, overrun_seconds=120,
                    dialect=centre.site.centre.scheduler.value,
                    patience_seconds=self.patience_seconds, commands_per_minute=self.commands_per_minute, region="lab",
                ),
            )  # fmt: skip
            for partition in centre.site.centre.partitions:
                core, card = PRICES.get(name, {}).get(partition.name, ("0.10", "5.00"))
                self.operator.operator(
                    "prices", PriceRequest(centre=name, queue=partition.name, core_hour=core, card_hour=card)
                )
            self.operator.operator("contracts", ContractRequest(centre=name, share_basis_points=SHARES.get(name, 8000)))
        self.wait_for_queues()

    def wait_for_queues(self) -> None:
        wanted = {(name, p.name) for name, c in self.lab.centres.items() for p in c.site.centre.partitions}
        self.wait(lambda: wanted <= {(one.centre, one.name) for one in self.operator.queues().items}, "the first probe")

    def tenant(self, login: str, *, organisation: str = "", money: str = "100") -> Tenant:
        """An organisation, a project with money, a member with a token."""
        create = self.operator.operator
        customer = create(
            "organisations", OrganisationRequest(name=organisation or f"University of {login}", category="university")
        )
        project = UUID(create("projects", ProjectRequest(organisation=UUID(customer.id), name=f"{login} lab")).id)
        create("users", UserRequest(login=login))
        self.operator.add_member(MemberRequest(login=login, project=project, role="member"))
        if Decimal(money):
            self.operator.top_up(TopUpRequest(project=project, amount=money, key=f"first-{login}"))
        token = self.operator.user_token(login, TokenRequest(name="first", scopes=["read", "write"], days=30)).token
        return Tenant(project, self.client(token), token)

    def wait(self, is_so: Callable[[], bool], what: str, seconds: float = READY_SECONDS) -> None:
        """Until it is so; TimeoutError names what did not come, and the end of the server's log is on stderr."""
        deadline = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > deadline:
                self._print_log()
                raise TimeoutError(f"waited {seconds:.0f} s for {what}")
            time.sleep(0.1)

    def _print_log(self) -> None:
        """Its end, beside the error and not in it: who reads many errors has a line of each."""
        print((self.folder / "server.log").read_text(errors="replace")[-3000:], file=sys.stderr)

    def _await_server(self) -> None:
        def answers() -> bool:
            assert self._server is not None
            if self._server.poll() is not None:
                self._print_log()
                raise RuntimeError("the server has ended")
            try:
                with urlopen(f"{self.url}/healthz", timeout=2):  # noqa: S310
                    return (self.folder / "state/operator.token").exists()
            except OSError:
                return False

        self.wait(answers, "the API")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
