"""An own PostgreSQL 18 for a machine that has none: made once in a folder, started, and never left behind. As root it
runs as `nobody`: a PostgreSQL refuses to run as root."""

import fcntl
import os
import secrets
import shutil
import signal
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Self
from urllib.parse import quote

from paracloud.kit.database import APP_ROLE
from paracloud.kit.errors import Conflict, Invalid, Unreachable
from paracloud.kit.postgres_binaries import ACCOUNT, as_account, binaries, give_away
from paracloud.kit.secret import kept_password

ROLE = "paracloud"
START_SECONDS, STOP_SECONDS = 60.0, 30.0
SOCKET_NAME = ".s.PGSQL.5432"
SOCKET_PATH_MOST = 107
"""sockaddr_un holds 108 bytes with the final zero (unix(7))."""


class EmbeddedPostgres:
    """A server on a Unix socket in `folder`, open to its owner and to the application, each with a password of its own
    (kept in `folder`, 0600). Ends with its parent, also when that is killed. `options` are settings of postgresql.conf.
    Conflict where another program runs it, Invalid where the server could not live in the folder, Unreachable where it
    does not start."""

    def __init__(self, folder: Path, options: Mapping[str, str] | None = None) -> None:
        self.folder = folder.resolve()
        self.options = dict(options or {})
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: BinaryIO | None = None

    @property
    def url(self) -> str:
        """The owner's: of every table, and of the server."""
        return self._url(ROLE, self._password_file.read_text().strip())

    @property
    def app_url(self) -> str:
        """The application's; it can log in once a migration has told the server of `app_password`."""
        return self._url(APP_ROLE, self.app_password)

    @property
    def app_password(self) -> str:
        """Made at the first call, and kept in `folder`."""
        return kept_password(self.folder / "app-password")

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{quote(password)}@/postgres?host={quote(str(self.folder / 'socket'))}"

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Waits until the server answers. One that a killed program left behind is let come to its end first."""
        self._refuse_unfit()
        self._make_folder()
        self._lock = _lock(self.folder / "lock")
        try:
            programs = binaries()
            self._await_gone()
            if not (self.folder / "data").exists():
                self._initialise(programs)
            with (self.folder / "postgres.log").open("ab") as log:
                self._process = _kept_process(self._command(programs), log)
            self._await_ready()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """A fast shutdown: sessions are ended, everything committed is kept. Nothing to stop is fine."""
        process, self._process = self._process, None
        lock, self._lock = self._lock, None
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if lock is not None:
            lock.close()

    @property
    def is_running(self) -> bool:
        """Whether the server that was started here still lives."""
        return self._process is not None and self._process.poll() is None

    def restart(self) -> None:
        self.stop()
        self.start()

    @property
    def _password_file(self) -> Path:
        return self.folder / "password"

    @property
    def _pid_file(self) -> Path:
        return self.folder / "data" / "postmaster.pid"

    def _command(self, programs: Path) -> list[str]:
        settings = {
            "unix_socket_directories": str(self.folder / "socket"),
            "listen_addresses": "",
            "max_connections": "200",
            "shared_buffers": "128MB",
            **self.options,
        }
        flags = [flag for name, value in settings.items() for flag in ("-c", f"{name}={value}")]
        data = str(self.folder / "data")
        return [*as_account(), "--pdeathsig", "INT", str(programs / "postgres"), "-D", data, *flags]

    def _refuse_unfit(self) -> None:
        socket = self.folder / "socket" / SOCKET_NAME
        if len(os.fsencode(socket)) > SOCKET_PATH_MOST:
            raise Invalid(
                f"{self.folder} is too long a path for a Unix socket; choose a shorter one.",
                f"{self.folder} 路径过长，无法放置 Unix 套接字；请选择更短的路径。",
                field="state_folder",
            )
        closed = [parent for parent in self.folder.parents if parent.exists() and not parent.stat().st_mode & 0o001]
        if os.getuid() == 0 and closed:
            raise Invalid(
                f"{closed[0]} is closed to the account {ACCOUNT}, which the database runs under; choose another "
                "folder, such as /var/lib/paracloud.",
                f"运行数据库的账号 {ACCOUNT} 无法进入 {closed[0]}；请选择其他目录，例如 /var/lib/paracloud。",
                field="state_folder",
            )

    def _make_folder(self) -> None:
        """Whatever the umask, the account can pass through the parents that are made here."""
        missing = [path for path in (self.folder, *self.folder.parents) if not path.exists()]
        self.folder.mkdir(parents=True, exist_ok=True)
        for path in missing:
            path.chmod(0o711)

    def _await_gone(self) -> None:
        deadline = time.monotonic() + STOP_SECONDS
        while self._is_running():
            if time.monotonic() > deadline:
                raise Conflict(
                    f"Another PostgreSQL runs in {self.folder} and does not end; stop it first.",
                    f"{self.folder} 中已有 PostgreSQL 在运行且未结束；请先停止它。",
                )
            time.sleep(0.05)

    def _is_running(self) -> bool:
        """Whether the process that the file names still works in this folder: a process id alone is used again."""
        try:
            pid = int(self._pid_file.read_text().partition("\n")[0])
            return os.fsencode(self.folder / "data") in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
        except (OSError, ValueError):
            return False

    def _initialise(self, programs: Path) -> None:
        """`data` appears whole or not at all: a killed initdb leaves only `data.new`."""
        fresh = self.folder / "data.new"
        shutil.rmtree(fresh, ignore_errors=True)
        for directory in (fresh, self.folder / "socket"):
            directory.mkdir(mode=0o700, exist_ok=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_hex(24))
        give_away(self.folder, fresh, self.folder / "socket", self._password_file)
        flags = ["-A", "scram-sha-256", "--pwfile", str(self._password_file), "-E", "UTF8", "--locale=C.UTF-8"]
        command = [*as_account(), str(programs / "initdb"), "-D", str(fresh), "-U", ROLE, *flags]
        done = subprocess.run(command, capture_output=True, check=False, cwd="/")
        if done.returncode != 0:
            detail = done.stderr.decode(errors="replace")[-500:]
            raise Unreachable(
                f"initdb failed in {self.folder}: {detail}", f"初始化数据库失败（{self.folder}）：{detail}"
            )
        fresh.rename(self.folder / "data")

    def _await_ready(self) -> None:
        """postmaster.pid's eighth line is the server's status (PostgreSQL 10 and later)."""
        assert self._process is not None  # noqa: S101
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._process.poll() is None:
            try:
                lines = self._pid_file.read_text().splitlines()
            except FileNotFoundError:
                lines = []
            if len(lines) >= 8 and lines[0] == str(self._process.pid) and lines[7].strip() == "ready":
                return
            time.sleep(0.02)
        log = (self.folder / "postgres.log").read_text(errors="replace")[-500:]
        raise Unreachable(
            f"PostgreSQL did not start in {self.folder}: {log}", f"数据库未能启动（{self.folder}）：{log}"
        )


def _lock(path: Path) -> BinaryIO:
    """Held from start to stop, and by the kernel's hand gone with the program that held it."""
    file = path.open("ab")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError as error:
        file.close()
        raise Conflict(
            f"Another program runs the database in {path.parent}; stop it, or choose another folder.",
            f"另一个程序正在使用 {path.parent} 中的数据库；请先停止它，或选择其他目录。",
        ) from error
    return file


def _kept_process(command: Sequence[str], log: BinaryIO) -> subprocess.Popen[bytes]:
    """The kernel sends the parent-death signal when the thread ends that started the process (prctl(2)), so a thread of
    its own starts it and lives as long as it does: whoever calls this may be a thread of a pool."""
    started: list[subprocess.Popen[bytes]] = []
    is_started = threading.Event()

    def keep() -> None:
        try:
            started.append(
                subprocess.Popen(
                    command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
                )
            )
        except OSError:
            return
        finally:
            is_started.set()
        started[0].wait()

    threading.Thread(target=keep, name="postgres-keeper", daemon=True).start()
    is_started.wait()
    if not started:
        raise Unreachable(
            f"{command[0]} cannot be run; install util-linux.", f"无法运行 {command[0]}；请安装 util-linux。"
        )
    return started[0]
