"""A centre that Grid Engine runs: sge_qmaster at the login host, and an sge_execd on each node."""

import subprocess
from collections.abc import Mapping

from paralab.gridengine import configuration, network
from paralab.gridengine.cell import PROGRAMS, commands, daemon_of, drafts_of, write_installation, write_spool
from paralab.gridengine.configuration import CELL, root
from paralab.process import PATH, call, listens, run, spawn, wait
from paralab.scheduler import Daemon
from paralab.site import Site

QCONF = str(PROGRAMS / "qconf")
FOREGROUND = ("env", "SGE_ND=1")


class GridEngine:
    programs: Mapping[str, str] = {
        "sge_qmaster": "gridengine-master", "sge_execd": "gridengine-exec", "qconf": "gridengine-client",
        "ip": "iproute2",
    }  # fmt: skip
    needs_database = False

    def environment(self, site: Site) -> dict[str, str]:
        return {
            "SGE_ROOT": str(root(site)),
            "SGE_CELL": CELL,
            "SGE_CLUSTER_NAME": site.cluster,
            "SGE_QMASTER_PORT": str(site.port + 1),
            "SGE_EXECD_PORT": str(site.port + 2),
        }

    def command_folders(self, site: Site) -> list[str]:
        """Below SGE_ROOT, as at a real site; those in /usr/bin are Debian's wrappers around them."""
        return [str(commands(site))]

    def hosts(self, site: Site) -> str:
        return network.hosts(site)

    def daemons(self, site: Site) -> dict[str, Daemon]:
        qmaster = str(PROGRAMS / "sge_qmaster")
        found = {"sge_qmaster": Daemon((*FOREGROUND, qmaster), f"^{qmaster}$")}
        for node, _ in site.centre.nodes:
            program = str(daemon_of(site, node))
            found[f"sge_execd.{node}"] = Daemon((*network.enter(node), *FOREGROUND, program), f"^{program}$")
        return found

    def write(self, site: Site) -> None:
        write_installation(site)
        write_spool(site, self.environment(site))
        network.build(site)

    def start(self, site: Site) -> None:
        environment = {"PATH": PATH, "LANG": "C.UTF-8", **self.environment(site)}
        processes: dict[str, subprocess.Popen[bytes]] = {}

        def begin(name: str) -> None:
            processes[name] = spawn(daemons[name].argv, environment, site.folder / "log" / f"{name}.out")

        daemons = self.daemons(site)
        begin("sge_qmaster")
        wait("sge_qmaster", lambda: _answers(site, environment), processes["sge_qmaster"])
        _configure(site, environment)
        for name in daemons:
            if name != "sge_qmaster":
                begin(name)
        wait("the nodes", lambda: _all_take_jobs(site, environment), *processes.values())

    def is_gone(self, site: Site) -> bool:
        return network.is_gone(site)


def _answers(site: Site, environment: Mapping[str, str]) -> bool:
    if not listens(site.port + 1, network.address(site, 0)):
        return False
    return site.host in call([QCONF, "-sh"], environment).split()


def _configure(site: Site, environment: Mapping[str, str]) -> None:
    """What only a running sge_qmaster takes; the nodes' groups before a node starts."""
    drafts = drafts_of(site)
    nodes = ",".join(f"{drafts}/nodes/{name}" for name, _ in site.centre.nodes)
    run([QCONF, "-Aconf", nodes], environment=environment)
    template = call([QCONF, "-sq"], environment)
    for partition in site.centre.partitions:
        draft = drafts / f"queue.{partition.name}"
        draft.write_text(configuration.cluster_queue(site, partition, template))
        run([QCONF, "-Aq", str(draft)], environment=environment)
    scheduling = drafts / "scheduling"
    scheduling.write_text(configuration.replaced(call([QCONF, "-ssconf"], environment), configuration.SCHEDULING))
    run([QCONF, "-Msconf", str(scheduling)], environment=environment)


def _all_take_jobs(site: Site, environment: Mapping[str, str]) -> bool:
    """A queue on a node has five columns, and a sixth with what is wrong: at first that the node has not reported."""
    lines = call([str(PROGRAMS / "qstat"), "-f"], environment).splitlines()
    ready = [line for line in lines if "@" in line.split(" ", 1)[0] and len(line.split()) == 5]
    return len(ready) == len(site.centre.nodes)
