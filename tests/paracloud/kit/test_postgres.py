"""The embedded server lives as long as its program, no longer, and never twice in one folder."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import asyncpg
import psutil
import pytest

from paracloud.kit import postgres_binaries
from paracloud.kit.database import APP_ROLE
from paracloud.kit.errors import Conflict, Invalid, Unreachable
from paracloud.kit.postgres import EmbeddedPostgres
from paracloud.kit.postgres_binaries import binaries

QUICK = {"fsync": "off", "shared_buffers": "16MB"}
PROGRAM = """
import sys, time
from pathlib import Path
from paracloud.kit.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]), {"fsync": "off", "shared_buffers": "16MB"})
server.start()
print("up", flush=True)
time.sleep(600)
"""


@contextmanager
def another_program(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen([sys.executable, "-c", PROGRAM, str(folder)], stdout=subprocess.PIPE)
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == b"up\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()


def servers(folder: Path) -> list[psutil.Process]:
    """A child of a server keeps its parent's words until it has named itself, and is not another server."""
    found = [one for one in psutil.process_iter(["ppid"]) if str(folder / "data") in _words(one)]
    return [one for one in found if one.info["ppid"] not in {other.pid for other in found}]


def _words(process: psutil.Process) -> list[str]:
    try:
        return process.cmdline()
    except psutil.Error:
        return []


def in_another_thread(act: Callable[[], None]) -> None:
    thread = threading.Thread(target=act)
    thread.start()
    thread.join()


async def ask(server: EmbeddedPostgres, query: str) -> object:
    connection = await asyncpg.connect(server.url)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


async def test_it_is_postgresql_18_without_a_port_in_utf8_and_keeps_what_was_committed(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, QUICK) as server:
        assert str(await ask(server, "SHOW server_version")).startswith("18.")
        assert await ask(server, "SHOW server_encoding") == "UTF8"
        assert await ask(server, "SHOW listen_addresses") == ""
        await ask(server, "CREATE TABLE kept AS SELECT 7 AS n")
        server.restart()
        assert await ask(server, "SELECT n FROM kept") == 7
        (postmaster,) = servers(open_folder)
        if os.getuid() == 0:
            assert postmaster.username() == "nobody"
    assert servers(open_folder) == []


async def test_nobody_comes_in_without_the_password_and_the_file_with_it_is_closed(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, QUICK) as server:
        password = (open_folder / "password").read_text()
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.url.replace(password, "guess"))
        assert (open_folder / "password").stat().st_mode & 0o077 == 0
        assert (open_folder / "socket").stat().st_mode & 0o077 == 0


async def test_the_application_has_a_password_of_its_own_and_comes_in_once_it_was_let_in(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, QUICK) as server:
        with pytest.raises(asyncpg.InvalidPasswordError):
            await asyncpg.connect(server.app_url)
        assert server.app_password == server.app_password != (open_folder / "password").read_text()
        assert (open_folder / "app-password").stat().st_mode & 0o077 == 0
        await ask(server, f"CREATE ROLE {APP_ROLE} LOGIN PASSWORD '{server.app_password}'")
        server.restart()
        connection = await asyncpg.connect(server.app_url)
        assert await connection.fetchval("SELECT session_user") == APP_ROLE
        await connection.close()


async def test_a_killed_program_leaves_no_server_and_the_next_one_starts_at_once_with_all_data(
    open_folder: Path,
) -> None:
    with another_program(open_folder) as killed:
        left = servers(open_folder)
        assert len(left) == 1
        killed.send_signal(signal.SIGKILL)
        killed.wait()
        with EmbeddedPostgres(open_folder, QUICK) as server:
            assert await ask(server, "SELECT 1") == 1
            assert servers(open_folder) != left
    psutil.wait_procs(left, timeout=30)
    assert servers(open_folder) == []


def test_a_second_program_in_the_same_folder_is_refused_while_the_first_runs(open_folder: Path) -> None:
    with another_program(open_folder):
        before = servers(open_folder)
        with pytest.raises(Conflict, match="Another program"):
            EmbeddedPostgres(open_folder, QUICK).start()
        assert servers(open_folder) == before


async def test_it_lives_in_a_folder_that_is_made_under_a_closed_umask(open_folder: Path) -> None:
    before = os.umask(0o077)
    try:
        with EmbeddedPostgres(open_folder / "state" / "postgres", QUICK) as server:
            assert await ask(server, "SELECT 1") == 1
    finally:
        os.umask(before)


async def test_it_outlives_the_thread_that_started_it(open_folder: Path) -> None:
    server = EmbeddedPostgres(open_folder, QUICK)
    try:
        in_another_thread(server.start)
        (postmaster,) = servers(open_folder)
        with pytest.raises(psutil.TimeoutExpired):
            postmaster.wait(timeout=0.5)
        assert await ask(server, "SELECT 1") == 1
    finally:
        server.stop()
    assert servers(open_folder) == []


async def test_an_initdb_that_was_killed_half_way_is_begun_again(open_folder: Path) -> None:
    (open_folder / "data.new").mkdir()
    (open_folder / "data.new" / "PG_VERSION").write_text("18\n")
    with EmbeddedPostgres(open_folder, QUICK) as server:
        assert await ask(server, "SELECT 1") == 1
    assert not (open_folder / "data.new").exists()


def test_a_process_id_that_was_used_again_is_not_taken_for_the_server(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, QUICK) as server:
        pass
    pid_file = open_folder / "data" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{open_folder}/data\n")
    assert not server._is_running()


def test_a_server_that_cannot_start_says_why_and_leaves_nothing(open_folder: Path) -> None:
    with pytest.raises(Unreachable, match="no_such_setting"):
        EmbeddedPostgres(open_folder, {"no_such_setting": "1"}).start()
    assert servers(open_folder) == []
    with EmbeddedPostgres(open_folder, QUICK):
        assert len(servers(open_folder)) == 1


def test_a_folder_that_the_server_could_not_live_in_is_refused_before_anything_is_made(open_folder: Path) -> None:
    with pytest.raises(Invalid, match="shorter"):
        EmbeddedPostgres(open_folder / ("x" * 90)).start()
    if os.getuid() == 0:
        closed = open_folder / "closed"
        closed.mkdir(mode=0o700)
        with pytest.raises(Invalid, match=f"{closed} is closed to the account nobody"):
            EmbeddedPostgres(closed / "state").start()
        assert list(closed.iterdir()) == []
    assert not (open_folder / ("x" * 90)).exists()


@pytest.mark.skipif(os.getuid() != 0, reason="only root makes a copy of the binaries")
def test_the_copy_of_the_binaries_is_readable_whatever_the_umask(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_binaries, "CACHE", tmp_path / "cache")
    before = os.umask(0o077)
    try:
        programs = binaries()
    finally:
        os.umask(before)
    assert programs.is_relative_to(tmp_path / "cache")
    for path in [tmp_path / "cache", *(tmp_path / "cache").rglob("*")]:
        assert path.is_symlink() or path.stat().st_mode & 0o004
