"""A centre that Grid Engine runs: sge_qmaster at the login host, and an sge_execd on each node."""

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from paralab.gridengine import configuration, network
from paralab.gridengine.configuration import ADMINISTRATOR, CELL, RESOURCES, root
from paralab.process import PATH, call, listens, run, spawn, wait
from paralab.scheduler import Daemon
from paralab.site import Site

PROGRAMS = Path("/usr/lib/gridengine")
QCONF = str(PROGRAMS / "qconf")
AS_ADMINISTRATOR = ("setpriv", f"--reuid={ADMINISTRATOR}", f"--regid={ADMINISTRATOR}", "--init-groups")
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
        """Those in /usr/bin are wrappers that look for another cell first."""
        return [str(_commands(site))]

    def hosts(self, site: Site) -> str:
        return network.hosts(site)

    def daemons(self, site: Site) -> dict[str, Daemon]:
        qmaster = str(PROGRAMS / "sge_qmaster")
        found = {"sge_qmaster": Daemon((*FOREGROUND, qmaster), f"^{qmaster}$")}
        for node, _ in site.centre.nodes:
            program = str(_daemon_of(site, node))
            found[f"sge_execd.{node}"] = Daemon((*network.enter(node), *FOREGROUND, program), f"^{program}$")
        return found

    def write(self, site: Site) -> None:
        _write_cell(site)
        _write_spool(site)
        network.build(site)

    def start(self, site: Site) -> None:
        environment = {"PATH": PATH, "LANG": "C.UTF-8", **self.environment(site)}
        processes: dict[str, subprocess.Popen[bytes]] = {}

        def begin(name: str) -> None:
            processes[name] = spawn(daemons[name].argv, environment, site.folder / "log" / f"{name}.out")

        daemons = self.daemons(site)
        begin("sge_qmaster")
        wait("sge_qmaster", lambda: listens(site.port + 1, network.address(site, 0)), processes["sge_qmaster"])
        _configure(site, environment)
        for name in daemons:
            if name != "sge_qmaster":
                begin(name)
        wait("the nodes", lambda: _all_take_jobs(site, environment), *processes.values())

    def is_gone(self, site: Site) -> bool:
        return network.is_gone(site)


def _write_cell(site: Site) -> None:
    """SGE_ROOT as an installation leaves it: programs, the cell's common folder, which every account reads."""
    common = root(site) / CELL / "common"
    common.mkdir(parents=True)
    (common / "bootstrap").write_text(configuration.bootstrap(site))
    (common / "act_qmaster").write_text(f"{site.host}\n")
    (common / "accounting").touch()  # before the first job too, qacct knows of none, and is not at a loss
    (root(site) / "util").symlink_to(RESOURCES.parent)
    for name in ("lib", "utilbin"):
        (root(site) / name).mkdir()
        (root(site) / name / architecture()).symlink_to(PROGRAMS)
    _commands(site).mkdir(parents=True)
    for program in PROGRAMS.glob("q*"):
        (_commands(site) / program.name).symlink_to(program)
    # By its name alone one node's daemon can be told from another's, all being in sight of the box.
    _daemon_of(site, "").parent.mkdir()
    for node, _ in site.centre.nodes:
        _daemon_of(site, node).symlink_to(PROGRAMS / "sge_execd")
    run(["chown", "-R", f"{ADMINISTRATOR}:", str(root(site) / CELL)])


def _write_spool(site: Site) -> None:
    """What sge_qmaster finds when it starts: job numbers to go on from, and the whole cell but its queues, which it can
    only make itself."""
    spool, drafts = site.folder / "spool", site.folder / "etc" / "gridengine"
    for name in ("qmaster/job_scripts", "database", "execd"):
        (spool / name).mkdir(parents=True)
    (spool / "qmaster/jobseqnum").write_text(f"{configuration.last_job_id(site)}\n")
    (spool / "qmaster/arseqnum").write_text("1\n")
    run(["chown", "-R", f"{ADMINISTRATOR}:", str(spool)])
    nodes = [name for name, _ in site.centre.nodes]
    files = {f"hosts/{name}": f"hostname {name}\n" for name in (site.host, *nodes)}
    files |= {f"exechosts/{name}": configuration.execution_host(name, of) for name, of in site.centre.nodes}
    files |= {f"pes/{name}": configuration.parallel_environment(name) for name in configuration.PARALLEL_ENVIRONMENTS}
    files |= {f"complexes/{one.name}": one.read_text() for one in (RESOURCES / "centry").iterdir()}
    files |= {f"complexes/{name}": text for name, text in configuration.complexes(site).items()}
    files |= {f"nodes/{name}": configuration.node_configuration(index) for index, name in enumerate(nodes)}
    files["configuration"] = configuration.global_configuration(site)
    for name, text in files.items():
        (drafts / name).parent.mkdir(parents=True, exist_ok=True)
        (drafts / name).write_text(text)
    environment = GridEngine().environment(site)
    _as_administrator(["spoolinit", "berkeleydb", "libspoolb", f"{spool}/database", "init"], environment)
    for what, source in {
        "configuration": f"{drafts}/configuration",
        "complexes": f"{drafts}/complexes",
        "usersets": f"{RESOURCES}/usersets",
        "adminhosts": f"{drafts}/hosts",
        "submithosts": f"{drafts}/hosts",
        "exechosts": f"{drafts}/exechosts",
        "pes": f"{drafts}/pes",
    }.items():
        _as_administrator(["spooldefaults", what, source], environment)
    _as_administrator(["spooldefaults", "managers", "root", ADMINISTRATOR], environment)


def _configure(site: Site, environment: Mapping[str, str]) -> None:
    drafts = site.folder / "etc" / "gridengine"
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


def _as_administrator(command: list[str], environment: Mapping[str, str]) -> None:
    run([*AS_ADMINISTRATOR, str(PROGRAMS / command[0]), *command[1:]], environment=environment)


def _all_take_jobs(site: Site, environment: Mapping[str, str]) -> bool:
    """A queue on a node has five columns, and a sixth with what is wrong: at first that the node has not reported."""
    lines = call([str(PROGRAMS / "qstat"), "-f"], environment).splitlines()
    ready = [line for line in lines if "@" in line.split(" ", 1)[0] and len(line.split()) == 5]
    return len(ready) == len(site.centre.nodes)


def _commands(site: Site) -> Path:
    return root(site) / "bin" / architecture()


def _daemon_of(site: Site, node: str) -> Path:
    return root(site) / "daemons" / f"sge_execd.{node}"


@cache
def architecture() -> str:
    """Grid Engine's word for this machine's, such as lx-amd64."""
    done = subprocess.run(["/usr/share/gridengine/util/arch"], capture_output=True, text=True, check=True)
    return done.stdout.strip()
