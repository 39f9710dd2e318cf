"""A real sshd of our own, with accounts that exist for it alone: passwd, shadow and group are bound over the machine's
own in a mount namespace. It trusts one certificate authority and nothing else."""

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

ACCOUNTS = ("pc01", "pc02")
START_SECONDS = 20.0


class Sshd:
    """`folder` must be open to everybody's eyes, as accounts have their homes below it."""

    def __init__(self, folder: Path, authority_key: str) -> None:
        self.folder, self.port = folder, _free_port()
        self.log = folder / "log"
        self.revoked = folder / "revoked"
        self.homes = {name: folder / "home" / name for name in ACCOUNTS}
        (folder / "trusted.pub").write_text(authority_key + "\n")
        self.revoked.write_text("")
        self.banner = folder / "banner"
        self.banner.write_text("BANNER: authorised use only\n")
        keygen = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", str(folder / "host")]
        subprocess.run(keygen, check=True)
        self._accounts()
        (folder / "sshd_config").write_text(self._config())
        self._process = self._start()

    @property
    def host_key(self) -> str:
        return " ".join((self.folder / "host.pub").read_text().split()[:2])

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()

    def sessions(self) -> list[psutil.Process]:
        """The processes that serve one login each: the listener's children, less the orphans that it inherits."""
        listeners = psutil.Process(self._process.pid).children()
        return [child for listener in listeners for child in listener.children() if child.name() == "sshd"]

    def cut(self) -> None:
        """Every login's server process is killed, as when a login node loses its power."""
        gone = self.sessions()
        for process in gone:
            for one in (process, *process.children(recursive=True)):
                with suppress(psutil.NoSuchProcess):
                    one.kill()
        wait_until(lambda: not any(process.is_running() for process in gone))

    def _accounts(self) -> None:
        texts = {name: Path("/etc", name).read_text() for name in ("passwd", "shadow", "group")}
        for number, (name, home) in enumerate(self.homes.items(), start=61001):
            home.mkdir(parents=True, mode=0o700)
            shutil.chown(home, number, number)
            texts["passwd"] += f"{name}:x:{number}:{number}::{home}:/bin/bash\n"
            texts["shadow"] += f"{name}:*:19000:0:99999:7:::\n"
            texts["group"] += f"{name}:x:{number}:\n"
        for name, text in texts.items():
            (self.folder / name).write_text(text)
        (self.folder / "shadow").chmod(0o600)

    def _config(self) -> str:
        return f"""\
Port {self.port}
ListenAddress 127.0.0.1
HostKey {self.folder}/host
PidFile none
UsePAM no
PasswordAuthentication no
KbdInteractiveAuthentication no
AuthorizedKeysFile none
TrustedUserCAKeys {self.folder}/trusted.pub
RevokedKeys {self.revoked}
PermitRootLogin prohibit-password
StrictModes no
UseDNS no
Banner {self.banner}
PrintMotd yes
MaxStartups 100:30:200
LogLevel VERBOSE
Subsystem sftp internal-sftp
"""

    def _start(self) -> subprocess.Popen[bytes]:
        binds = "".join(f"mount --bind {self.folder}/{name} /etc/{name} && " for name in ("passwd", "shadow", "group"))
        run = "mount -t tmpfs tmpfs /run && mkdir /run/sshd"
        script = f"{binds}{run} && exec /usr/sbin/sshd -D -e -f {self.folder}/sshd_config"
        with self.log.open("wb") as log:
            process = subprocess.Popen(
                ["unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )
        wait_until(lambda: b"Server listening" in self.log.read_bytes())
        return process


def can_start() -> bool:
    return os.getuid() == 0 and Path("/usr/sbin/sshd").exists()


def wait_until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > deadline:
            raise TimeoutError("it did not become so")
        time.sleep(0.02)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
