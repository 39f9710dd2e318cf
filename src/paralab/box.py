"""A centre from inside: the first process of its namespaces. Mounts, starts every daemon, and reaps until it is killed;
then the kernel ends everything that was started here, jobs included, and every mount and socket is gone with it.

Run as `python -m paralab.box SITE.json` under `unshare --uts --mount --pid --fork --kill-child --mount-proc`.
"""

import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from paralab.login import account_files, accounts, sshd_config
from paralab.site import Site
from paralab.slurm import gres_conf, slurm_conf, slurmdbd_conf

PATH = "/usr/local/bin:/usr/bin:/bin:/usr/local/sbin:/usr/sbin:/sbin"
READY_SECONDS = 120.0


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
    return {"PATH": PATH, "SLURM_CONF": str(site.conf), "LANG": "C.UTF-8"}


def daemons(site: Site) -> dict[str, list[str]]:
    """Every daemon's command by name; all stay in the foreground."""
    commands = {
        "munged": ["munged", "-F", "--num-threads=4", "--force", f"--key-file={site.folder}/munge/key",
                   f"--log-file={site.folder}/munge/log", "--seed-file=/run/munge/seed"],
        "slurmdbd": ["slurmdbd", "-D"],
        "slurmctld": ["slurmctld", "-D", "-f", str(site.conf)],
        "sshd": ["/usr/sbin/sshd", "-D", "-e", "-f", f"{site.folder}/ssh/sshd_config"],
    }  # fmt: skip
    return commands | {
        f"slurmd.{name}": ["slurmd", "-D", "-N", name, "-f", str(site.conf)] for name, _ in site.centre.nodes
    }


def start_all(site: Site) -> None:
    commands = daemons(site)
    sshd = _spawn(site, "sshd", commands["sshd"])
    munged = _spawn(site, "munged", commands["munged"])
    _wait("munged", Path("/run/munge/munge.socket.2").exists, munged)
    _wait("MariaDB", lambda: _listens(site.database_port))  # a slurmdbd that finds none sleeps five seconds
    slurmdbd = _spawn(site, "slurmdbd", commands["slurmdbd"])
    _wait("slurmdbd", lambda: _listens(site.port + 2), slurmdbd)
    _call(site, ["sacctmgr", "-i", "add", "cluster", site.cluster])
    slurmctld = _spawn(site, "slurmctld", [*commands["slurmctld"], "-c"])
    _wait(
        "slurmctld", lambda: _listens(site.port + 1), slurmctld
    )  # a slurmd that finds none tries again only seconds later
    nodes = [_spawn(site, name, command) for name, command in commands.items() if name.startswith("slurmd.")]
    _wait("the nodes", lambda: _all_idle(site), slurmctld, *nodes)
    _wait("sshd", lambda: _listens(site.ssh_port), sshd)


def _mount(site: Site) -> None:
    socket.sethostname(site.host)
    etc = site.folder / "etc"
    (etc / "hosts").write_text(f"127.0.0.1 localhost {site.host}\n")
    for name, text in account_files(site).items():
        (etc / name).write_text(text)
    (etc / "shadow").chmod(0o600)
    # A copy of the whole folder: the kernel takes a mount on a single file away as soon as somebody outside replaces
    # that file, as useradd and every package with an account of its own do.
    own = site.folder / "system"
    _run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(own)])
    _run(["cp", "-a", "/etc/.", str(own)])
    for name in ("hosts", "passwd", "group", "shadow"):
        _run(["cp", "-p", "--remove-destination", str(etc / name), str(own / name)])
    _run(["mount", "--bind", str(own), "/etc"])
    for name, uid in accounts(site):
        home = site.folder / "home" / name
        home.mkdir(mode=0o700, exist_ok=True)
        os.chown(home, uid, uid)
    _run(["mount", "--bind", str(site.folder / "home"), "/home"])
    _run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", "/run"])
    for name in ("sshd", "munge", "slurm"):
        Path("/run", name).mkdir()
    # The sockets of running steps lie there: they go with the box, however it ends.
    _run(["mount", "-t", "tmpfs", "-o", "mode=755", "tmpfs", str(site.folder / "spool")])
    if not str(site.folder).startswith("/tmp/"):  # noqa: S108  # the centre's own /tmp, unless we would hide ourselves
        _run(["mount", "-t", "tmpfs", "-o", "mode=1777", "tmpfs", "/tmp"])  # noqa: S108


def _write(site: Site) -> None:
    folder = site.folder
    (folder / "munge/key").write_bytes(secrets.token_bytes(128))
    (folder / "munge/key").chmod(0o400)
    site.conf.write_text(slurm_conf(site))
    (folder / "etc/gres.conf").write_text(gres_conf(site))
    (folder / "etc/cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nConstrainCores=no\n")
    (folder / "etc/slurmdbd.conf").touch(mode=0o600)
    (folder / "etc/slurmdbd.conf").write_text(slurmdbd_conf(site))
    (folder / "ssh/sshd_config").write_text(sshd_config(site))
    for name in ("trusted.pub", "revoked"):
        (folder / "ssh" / name).touch()
    for index in range(max((partition.gpus for partition in site.centre.partitions), default=0)):
        device = folder / "dev" / f"nvidia{index}"
        os.mknod(device, 0o020666, os.makedev(1, 3))  # a second /dev/null: the node only looks whether it is there
        device.chmod(0o666)
    for name, _ in site.centre.nodes:
        (folder / "spool" / name).mkdir()
        (folder / "scratch" / name).mkdir()
        (folder / "scratch" / name).chmod(0o1777)
    key = folder / "ssh/host_ed25519"
    _run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", site.host, "-f", str(key)])


def _spawn(site: Site, name: str, command: list[str]) -> subprocess.Popen[bytes]:
    with (site.folder / "log" / f"{name}.out").open("ab") as log:
        return subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, env=environment(site), start_new_session=True
        )


def _call(site: Site, command: list[str]) -> str:
    done = subprocess.run(command, env=environment(site), capture_output=True, text=True, check=False, timeout=60)
    return done.stdout


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, capture_output=True, env={"PATH": PATH})


def _all_idle(site: Site) -> bool:
    lines = _call(site, ["sinfo", "-h", "-N", "-o", "%N %t"]).splitlines()
    idle = {line.split()[0] for line in lines if line.split()[1:] == ["idle"]}
    return len(idle) == len(site.centre.nodes)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(0.2)
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _wait(what: str, is_there: Callable[[], bool], *daemons: subprocess.Popen[bytes]) -> None:
    """TimeoutError where it does not come, and ChildProcessError as soon as a daemon that it needs has ended."""
    deadline = time.monotonic() + READY_SECONDS
    while not is_there():
        for daemon in daemons:
            if daemon.poll() is not None:
                raise ChildProcessError(f"{what} ended at once with status {daemon.returncode}")
        if time.monotonic() > deadline:
            raise TimeoutError(f"{what} did not come up in {READY_SECONDS:.0f} s")
        time.sleep(0.03)


FOLDERS = ("etc", "system", "log", "state", "spool", "scratch", "munge", "ssh", "home", "dev")


def make_folders(folder: Path) -> None:
    """A fresh folder for a centre; every account must be able to walk to its home and to munge's socket."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in FOLDERS:
        (folder / name).mkdir(parents=True)
        (folder / name).chmod(0o755)
    (folder / "state").chmod(0o700)


if __name__ == "__main__":
    main()
