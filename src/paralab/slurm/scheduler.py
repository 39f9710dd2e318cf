"""A centre that Slurm runs: munge, slurmdbd over a MariaDB, slurmctld, and a slurmd for each node."""

import os
import secrets
import subprocess
from collections.abc import Mapping
from pathlib import Path

from paralab.process import PATH, call, listens, spawn, wait
from paralab.scheduler import Daemon
from paralab.site import Site
from paralab.slurm.configuration import conf_file, gres_conf, slurm_conf, slurmdbd_conf


class Slurm:
    programs: Mapping[str, str] = {
        "slurmctld": "slurmctld", "slurmd": "slurmd", "slurmdbd": "slurmdbd", "sinfo": "slurm-client",
        "munged": "munge", "mariadbd": "mariadb-server-core", "mariadb-install-db": "mariadb-server-core",
    }  # fmt: skip
    needs_database = True

    def environment(self, site: Site) -> dict[str, str]:
        return {"SLURM_CONF": str(conf_file(site))}

    def command_folders(self, site: Site) -> list[str]:
        return []

    def hosts(self, site: Site) -> str:
        return f"127.0.0.1 localhost {site.host}\n"

    def daemons(self, site: Site) -> dict[str, Daemon]:
        conf, folder = str(conf_file(site)), site.folder
        munged = (
            "munged", "-F", "--num-threads=4", "--force", f"--key-file={folder}/munge/key",
            f"--log-file={folder}/munge/log", "--seed-file=/run/munge/seed",
        )  # fmt: skip
        commands = {
            "munged": Daemon(munged, "^munged "),
            "slurmdbd": Daemon(("slurmdbd", "-D"), "^slurmdbd "),
            "slurmctld": Daemon(("slurmctld", "-D", "-f", conf), "^slurmctld "),
        }
        return commands | {
            f"slurmd.{name}": Daemon(("slurmd", "-D", "-N", name, "-f", conf), f"^slurmd -D -N {name} ")
            for name, _ in site.centre.nodes
        }

    def write(self, site: Site) -> None:
        folder = site.folder
        for name, mode in (("munge", 0o755), ("dev", 0o755), ("state", 0o700)):
            (folder / name).mkdir()
            (folder / name).chmod(mode)
        for name in ("munge", "slurm"):
            Path("/run", name).mkdir()
        (folder / "munge/key").write_bytes(secrets.token_bytes(128))
        (folder / "munge/key").chmod(0o400)
        conf_file(site).write_text(slurm_conf(site))
        (folder / "etc/gres.conf").write_text(gres_conf(site))
        (folder / "etc/cgroup.conf").write_text("CgroupPlugin=cgroup/v1\nCgroupAutomount=no\nConstrainCores=no\n")
        (folder / "etc/slurmdbd.conf").touch(mode=0o600)
        (folder / "etc/slurmdbd.conf").write_text(slurmdbd_conf(site))
        for index in range(max((partition.gpus for partition in site.centre.partitions), default=0)):
            device = folder / "dev" / f"nvidia{index}"
            os.mknod(device, 0o020666, os.makedev(1, 3))  # a second /dev/null: the node only looks whether it is there
            device.chmod(0o666)
        for name, _ in site.centre.nodes:
            (folder / "spool" / name).mkdir()

    def start(self, site: Site) -> None:
        environment = {"PATH": PATH, "LANG": "C.UTF-8", **self.environment(site)}
        processes: dict[str, subprocess.Popen[bytes]] = {}

        def begin(name: str, *more: str) -> None:
            log = site.folder / "log" / f"{name}.out"
            processes[name] = spawn([*daemons[name].argv, *more], environment, log)

        daemons = self.daemons(site)
        begin("munged")
        wait("munged", Path("/run/munge/munge.socket.2").exists, processes["munged"])
        wait("MariaDB", lambda: listens(site.database_port))  # a slurmdbd that finds none sleeps five seconds
        begin("slurmdbd")
        wait("slurmdbd", lambda: listens(site.port + 2), processes["slurmdbd"])
        call(["sacctmgr", "-i", "add", "cluster", site.cluster], environment)
        begin("slurmctld", "-c")
        # A slurmd that finds no slurmctld tries again only seconds later.
        wait("slurmctld", lambda: listens(site.port + 1), processes["slurmctld"])
        nodes = [name for name in daemons if name.startswith("slurmd.")]
        for name in nodes:
            begin(name)
        needed = [processes[name] for name in ("slurmctld", *nodes)]
        wait("the nodes", lambda: _all_idle(site, environment), *needed)

    def is_gone(self, site: Site) -> bool:
        return True


def _all_idle(site: Site, environment: Mapping[str, str]) -> bool:
    lines = call(["sinfo", "-h", "-N", "-o", "%N %t"], environment).splitlines()
    idle = {line.split()[0] for line in lines if line.split()[1:] == ["idle"]}
    return len(idle) == len(site.centre.nodes)
