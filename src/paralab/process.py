"""Processes of a box: run to their end, or left running, and waited for until they serve."""

import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
READY_SECONDS = 120.0
CALL_SECONDS = 60.0


def run(command: Sequence[str], *, stdin: str | None = None, environment: Mapping[str, str] | None = None) -> None:
    """CalledProcessError where it fails, with what it said."""
    done = subprocess.run(
        command, check=False, capture_output=True, text=True, input=stdin, env={"PATH": PATH, **(environment or {})}
    )
    if done.returncode != 0:
        raise FailedCommand(done.returncode, command, done.stdout, done.stderr)


class FailedCommand(subprocess.CalledProcessError):
    def __str__(self) -> str:
        said = f"{self.stdout}{self.stderr}".strip()
        return f"{super().__str__()} {said[-500:]}"


def call(command: Sequence[str], environment: Mapping[str, str]) -> str:
    """What it printed, whatever its end."""
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=CALL_SECONDS
    )  # fmt: skip
    return done.stdout


def spawn(command: Sequence[str], environment: Mapping[str, str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, env=environment, start_new_session=True
        )


def listens(port: int, host: str = "127.0.0.1") -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex((host, port)) == 0


def wait(what: str, is_there: Callable[[], bool], *daemons: subprocess.Popen[bytes]) -> None:
    """TimeoutError where it does not come, and ChildProcessError as soon as a daemon that it needs has ended."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_there():
        for daemon in daemons:
            if daemon.poll() is not None:
                raise ChildProcessError(f"{what} ended at once with status {daemon.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up in {READY_SECONDS:.0f} s")
        time.sleep(0.03)
