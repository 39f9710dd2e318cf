"""What tests of real centres do with a lab: hold one, wait for it, look for what is left of it."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from paralab.errors import LabError
from paralab.inventory import default_inventory, parse
from paralab.lab import up
from paralab.running import RunningLab, processes_of, wait_until

HOLDER = """
import sys, time
from paralab.inventory import parse
from paralab.lab import up
up(parse(sys.argv[1]), name=sys.argv[2], attached=True)
print("up", flush=True)
time.sleep(600)
"""
"""A program that holds the lab of an inventory until it is killed."""


@contextmanager
def running(name: str, inventory: str = "") -> Iterator[RunningLab]:
    lab = up(parse(inventory) if inventory else default_inventory(), name=name, attached=True)
    try:
        yield lab
    finally:
        lab.down()


def until(ask: Callable[[], object], what: str) -> None:
    wait_until(lambda: bool(ask()), what, 60)


def listening(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def left_of(folder: Path, ports: list[int]) -> list[str]:
    """Whatever is still there of a lab: processes, mounts that any process sees, sockets of files and of ports, and
    the machine's end of a network."""
    mounts = [line for line in Path("/proc/self/mountinfo").read_text().splitlines() if f" {folder}/" in line]
    named = [f"process {pid}" for pid in processes_of(folder)]
    named += [f"process {pid}" for pid in _named_by(folder)]
    files = [f"socket {file}" for file in folder.rglob("*") if file.is_socket()]
    unix = [line for line in Path("/proc/net/unix").read_text().splitlines() if str(folder) in line]
    open_ports = [f"port {port}" for port in ports if listening(port)]
    cables = [f"interface lab{port}" for port in ports if Path(f"/sys/class/net/lab{port}").exists()]
    return [*mounts, *named, *files, *unix, *open_ports, *cables]


def assert_nothing_left(folder: Path, ports: list[int]) -> None:
    """Looks for a moment: who ends closes sockets after leaving the mounts by which a lab knows its own."""
    with suppress(LabError):
        wait_until(lambda: not left_of(folder, ports), "the lab to end", 5)
    assert left_of(folder, ports) == []


def _named_by(folder: Path) -> list[str]:
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes()
            if entry.name.isdigit() and f"{folder}/".encode() in words and int(entry.name) != os.getpid():
                found.append(entry.name)
    return found


def ports_of(lab: RunningLab) -> list[int]:
    sites = [centre.site for centre in lab.centres.values()]
    return [one.database_port for one in sites] + [one.port + at for one in sites for at in (0, 1, 2, 22, 100)]
