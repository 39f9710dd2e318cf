"""The command line as its users have it: a program of its own that talks to a real server over a loopback port."""

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from tests.paracloud.api.house import House, Person, Tenant, open_house

from paracloud.kit.database import Database

PROGRAM = Path(sys.executable).with_name("paracloud")


@dataclass
class Terminal:
    """One person's home and environment."""

    url: str
    home: Path

    def run(
        self,
        who: Person | None,
        *words: str,
        language: str = "en_US.UTF-8",
        stdin: str = "",
        program: Path = PROGRAM,
        **variables: str,
    ) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(self.home), "LANG": language, "COLUMNS": "250"}
        environment |= {"PARACLOUD_URL": self.url} | variables
        environment |= {name: value for name, value in os.environ.items() if name.startswith("PYTHON")}
        if who is not None:
            environment["PARACLOUD_TOKEN"] = who.token
        return subprocess.run(
            [program, *words], env=environment, input=stdin, capture_output=True, text=True, check=False,
            cwd=self.home, timeout=60,
        )  # fmt: skip

    def say(self, who: Person, *words: str, **more: str) -> str:
        done = self.run(who, *words, **more)
        assert done.returncode == 0, done.stderr
        return done.stdout


class Served:
    """The house with its door open: the application on a loop of its own, in a thread of its own."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self.house: House = self.do(self._open(database_url, folder))
        config = uvicorn.Config(self.house.app, port=0, log_config=None, lifespan="off")
        self._server = uvicorn.Server(config)
        self._serving = asyncio.run_coroutine_threadsafe(self._server.serve(), self._loop)
        self.do(self._is_up())
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"

    def do(self, act):
        return asyncio.run_coroutine_threadsafe(act, self._loop).result(60)

    def tenants(self, *logins: str) -> Sequence[Tenant]:
        return [self.do(self.house.tenant(login)) for login in logins]

    def close(self) -> None:
        self._server.should_exit = True
        self._serving.result(30)
        self.do(self.house.close())
        self.do(self.house.database.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(30)
        self._loop.close()

    async def _open(self, url: str, folder: Path) -> House:
        return await open_house(Database.connect(url), folder)

    async def _is_up(self) -> None:
        while not self._server.started:
            await asyncio.sleep(0.01)


@pytest.fixture
def served(database_url: str, tmp_path: Path) -> Iterator[Served]:
    opened = Served(database_url, tmp_path / "blobs")
    yield opened
    opened.close()


@pytest.fixture
def lin(served: Served) -> Tenant:
    [tenant] = served.tenants("lin")
    return tenant


@pytest.fixture
def boss(served: Served) -> Person:
    return served.do(served.house.operator())


@pytest.fixture
def terminal(served: Served, tmp_path: Path) -> Terminal:
    home = tmp_path / "home"
    home.mkdir()
    return Terminal(served.url, home)
