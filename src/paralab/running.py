"""A lab that runs: what it is, and hands to reach into its centres, for tests and for people."""

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from paralab.box import daemons, environment
from paralab.errors import LabError
from paralab.schedulers import scheduler_of
from paralab.site import Site

STOP_SECONDS = 20.0
STARTED: dict[int, subprocess.Popen[bytes]] = {}
"""Supervisors that are children of this process, which alone can reap them."""


@dataclass(frozen=True, slots=True)
class RunningCentre:
    """`pid` is the box's first process. Commands run inside the box, as root or as one of its accounts."""

    site: Site
    pid: int

    @property
    def name(self) -> str:
        return self.site.centre.name

    @property
    def host(self) -> str:
        return "127.0.0.1"

    @property
    def port(self) -> int:
        return self.site.ssh_port

    @property
    def host_key(self) -> str:
        """One line of type and key, without a comment."""
        return " ".join((self.site.folder / "ssh/host_ed25519.pub").read_text().split()[:2])

    @property
    def service_account(self) -> str:
        return self.site.centre.service_account

    @property
    def pool(self) -> tuple[str, ...]:
        return self.site.centre.pool

    def exec(
        self, argv: Sequence[str], *, account: str = "root", stdin: str | None = None, timeout: float = 120.0
    ) -> subprocess.CompletedProcess[str]:
        """Run it to its end; the caller looks at `returncode`."""
        return subprocess.run(
            self._enter(argv, account), input=stdin, capture_output=True, text=True, check=False, timeout=timeout
        )

    def kill(self, daemon: str, *, hard: bool = True) -> None:
        """End a daemon: sshd, or one of the scheduler's (slurmctld, slurmdbd, munged, slurmd.NODE; or sge_qmaster,
        sge_execd.NODE). `hard` is SIGKILL, else SIGTERM."""
        pattern = daemons(self.site)[daemon].pattern
        self.exec(["pkill", "-KILL" if hard else "-TERM", "-f", pattern])
        wait_until(lambda: self.exec(["pgrep", "-f", pattern]).returncode != 0, f"{daemon} to end")

    def start(self, daemon: str) -> None:
        """Start a daemon again, with the state that it left."""
        argv = daemons(self.site)[daemon].argv
        log = self.site.folder / "log" / f"{daemon}.out"
        self.exec(["sh", "-c", 'exec setsid -f "$@" >>"$0" 2>&1 </dev/null', str(log), *argv])

    def trust(self, public_key: str) -> None:
        """Accept certificates of this authority; sshd reads the file at every login."""
        (self.site.folder / "ssh/trusted.pub").write_text(public_key.strip() + "\n")

    def revoke(self, public_keys: str) -> None:
        (self.site.folder / "ssh/revoked").write_text(public_keys)

    def _enter(self, argv: Sequence[str], account: str) -> list[str]:
        home = "/root" if account == "root" else f"/home/{account}"
        who = ["setpriv", f"--reuid={account}", f"--regid={account}", "--init-groups"]
        variables = [f"{name}={value}" for name, value in environment(self.site).items()]
        variables += [f"HOME={home}", f"USER={account}"]
        enter = ["nsenter", f"--target={self.pid}", "--mount", "--uts", "--pid", f"--wdns={home}"]
        return [*enter, "--", "env", "-i", *variables, *(who if account != "root" else []), *argv]


@dataclass(frozen=True, slots=True)
class RunningLab:
    folder: Path
    supervisor: int
    centres: Mapping[str, RunningCentre]

    def down(self) -> None:
        """End everything, and remove the lab's folder. Already gone is fine."""
        with suppress(ProcessLookupError):
            os.kill(self.supervisor, signal.SIGTERM)
        wait_until(lambda: not is_alive(self.supervisor), "the lab to end")
        wait_until(lambda: not processes_of(self.folder), "the centres' processes to end")
        wait_until(lambda: all(map(_is_gone, self.centres.values())), "the centres' networks to end")
        shutil.rmtree(self.folder, ignore_errors=True)

    def trust(self, public_key: str) -> None:
        for centre in self.centres.values():
            centre.trust(public_key)


def _is_gone(centre: RunningCentre) -> bool:
    return scheduler_of(centre.site.centre).is_gone(centre.site)


def load(folder: Path) -> RunningLab | None:
    """The lab in this folder, if it runs."""
    try:
        supervisor = int((folder / "supervisor.pid").read_text())
        plan = json.loads((folder / "plan.json").read_text())
        pids = json.loads((folder / "pids.json").read_text())
    except (FileNotFoundError, ValueError):
        return None
    if not is_alive(supervisor):
        return None
    sites = {name: Site.load(Path(file).read_text()) for name, file in plan["sites"].items()}
    return RunningLab(folder, supervisor, {name: RunningCentre(site, pids[name]) for name, site in sites.items()})


def processes_of(folder: Path) -> list[int]:
    """Every process that has a mount of this lab in its sight: all that its boxes ever started, wherever they are now.
    A box's first process may outlive `unshare` by a moment."""
    marked, found = f" {folder}/".encode(), []
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit():
            continue
        with suppress(OSError):
            if marked in (entry / "mountinfo").read_bytes():
                found.append(int(entry.name))
    return found


def is_alive(pid: int) -> bool:
    """A supervisor of ours; a zombie, or another program with a recycled pid, is not."""
    if (child := STARTED.get(pid)) is not None and child.poll() is not None:
        del STARTED[pid]
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        return state != "Z" and b"paralab.supervisor" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return False


def wait_until(is_so: Callable[[], bool], what: str, seconds: float = STOP_SECONDS) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        if time.monotonic() > deadline:
            raise LabError(f"Waited {seconds:.0f} s for {what}.", f"等待 {seconds:.0f} 秒仍未完成：{what}。")
        time.sleep(0.05)
