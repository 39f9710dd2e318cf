"""A centre from inside: the first process of its namespaces. Mounts, starts every daemon, and reaps until it is killed;
then the kernel ends everything that was started here, jobs included, and every mount and socket is gone with it.

Run as `python -m paralab.box SITE.json` under `unshare --uts --mount --pid --fork --kill-child --mount-proc`.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

from paralab.login import account_files, accounts, sshd_config
from paralab.process import PATH, listens, run, spawn, wait
from paralab.scheduler import Daemon
from paralab.schedulers import scheduler_of
from paralab.site import Site


def main() -> None:
    site = Site.load(Path(sys.argv[1]).read_text())
    try:
        _mount(site)
        _write(site)
        start_all(site)
        (site.folder / "ready").write_text(str(time.time()))
    except (OSError, subprocess.SubprocessError, TimeoutError) as error:
        (site.folder / "failed").write_text(f"{type(error).__name__}: {error}")
        raise
    while True:
        try:
            os.waitpid(-1, 0)
        except ChildProcessError:
            time.sleep(1)


def environment(site: Site) -> dict[str, str]:
    """Of root inside the box."""
    scheduler = scheduler_of(site.centre)
    path = ":".join([*scheduler.command_folders(site), PATH])
    return {"PATH": path, "LANG": "C.UTF-8", **scheduler.environment(site)}


def daemons(site: Site) -> dict[str, Daemon]:
    """Every daemon of a centre by name."""
    sshd = ("/usr/sbin/sshd", "-D", "-e", "-f", f"{site.folder}/ssh/sshd_config")
    return {"sshd": Daemon(sshd, "^(/usr/sbin/)?sshd "), **scheduler_of(site.centre).daemons(site)}


def start_all(site: Site) -> None:
    sshd = spawn(daemons(site)["sshd"].argv, environment(site), site.folder / "log" / "sshd.out")
    scheduler_of(site.centre).start(site)
    wait("sshd", lambda: listens(site.ssh_port), sshd)


def _mount(site: Site) -> None:
    socket.sethostname(site.host)
    etc = site.folder / "etc"
    (etc / "hosts").write_text(scheduler_of(site.centre).hosts(site))
    for name, text in account_files(site).items():
        (etc / name).write_text(text)
    (etc / "shadow").chmod(0o600)
    # A copy of the whole folder: the kernel takes a mount on a single file away as soon as somebody outside replaces
    # that file, as useradd and every package with an account of its own do.
    own = site.folder / "system"
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(own)])
    run(["cp", "-a", "/etc/.", str(own)])
    for name in ("hosts", "passwd", "group", "shadow"):
        run(["cp", "-p", "--remove-destination", str(etc / name), str(own / name)])
    run(["mount", "--bind", str(own), "/etc"])
    for name, uid in accounts(site):
        home = site.folder / "home" / name
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, uid, uid)
    run(["mount", "--bind", str(site.folder / "home"), "/home"])
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    Path("/run/sshd").mkdir()
    # The sockets of running steps lie there: they go with the box, however it ends.
    run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(site.folder / "spool")])
    if not str(site.folder).startswith("/tmp/"):  # noqa: S108  # the centre's own /tmp, unless we would hide ourselves
        run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"])  # noqa: S108


def _write(site: Site) -> None:
    folder, scheduler = site.folder, scheduler_of(site.centre)
    for name, _ in site.centre.nodes:
        (folder / "scratch" / name).mkdir()
        (folder / "scratch" / name).chmod(0o1777)
    variables = scheduler.environment(site) | {
        "CENTRE": site.centre.name,
        "PATH": ":".join([*scheduler.command_folders(site), "/usr/local/bin:/usr/bin:/bin"]),
    }
    (folder / "ssh/sshd_config").write_text(sshd_config(site, variables))
    for name in ("trusted.pub", "revoked"):
        (folder / "ssh" / name).touch()
    key = folder / "ssh/host_ed25519"
    run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", site.host, "-f", str(key)])
    scheduler.write(site)


FOLDERS = ("etc", "system", "log", "spool", "scratch", "ssh", "home")


def make_folders(folder: Path) -> None:
    """A fresh folder for a centre; every account must be able to walk to its home and to its scheduler's files."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o755)


if __name__ == "__main__":
    main()
