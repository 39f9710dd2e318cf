"""A cell before its sge_qmaster runs: an installation to look at, and a spool to start from."""

import subprocess
from collections.abc import Mapping
from functools import cache
from pathlib import Path

from paralab.gridengine import configuration
from paralab.gridengine.configuration import ADMINISTRATOR, CELL, RESOURCES, root
from paralab.process import run
from paralab.site import Site

PROGRAMS = Path("/usr/lib/gridengine")
AS_ADMINISTRATOR = ("setpriv", f"--reuid={ADMINISTRATOR}", f"--regid={ADMINISTRATOR}", "--init-groups")


def write_installation(site: Site) -> None:
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
    commands(site).mkdir(parents=True)
    for program in PROGRAMS.glob("q*"):
        (commands(site) / program.name).symlink_to(program)
    # By its name alone one node's daemon can be told from another's, all being in sight of the box.
    daemon_of(site, "").parent.mkdir()
    for node, _ in site.centre.nodes:
        daemon_of(site, node).symlink_to(PROGRAMS / "sge_execd")
    run(["chown", "-R", f"{ADMINISTRATOR}:", str(root(site) / CELL)])


def write_spool(site: Site, environment: Mapping[str, str]) -> None:
    """What sge_qmaster finds when it starts: a job number to go on from, and the whole cell but its queues, which only
    it can make."""
    spool, drafts = site.folder / "spool", drafts_of(site)
    for name in ("qmaster/job_scripts", "database", "execd"):
        (spool / name).mkdir(parents=True)
    (spool / "qmaster/jobseqnum").write_text(f"{configuration.last_job_id(site)}\n")
    (spool / "qmaster/arseqnum").write_text("1\n")
    run(["chown", "-R", f"{ADMINISTRATOR}:", str(spool)])
    for name, text in _drafts(site).items():
        (drafts / name).parent.mkdir(parents=True, exist_ok=True)
        (drafts / name).write_text(text)
    for command in (
        ["spoolinit", "berkeleydb", "libspoolb", f"{spool}/database", "init"],
        ["spooldefaults", "configuration", f"{drafts}/configuration"],
        ["spooldefaults", "complexes", f"{drafts}/complexes"],
        ["spooldefaults", "usersets", f"{RESOURCES}/usersets"],
        ["spooldefaults", "adminhosts", f"{drafts}/hosts"],
        ["spooldefaults", "submithosts", f"{drafts}/hosts"],
        ["spooldefaults", "exechosts", f"{drafts}/exechosts"],
        ["spooldefaults", "pes", f"{drafts}/pes"],
        ["spooldefaults", "managers", "root", ADMINISTRATOR],
    ):
        run([*AS_ADMINISTRATOR, str(PROGRAMS / command[0]), *command[1:]], environment=environment)


def _drafts(site: Site) -> dict[str, str]:
    """Files by their path below the drafts."""
    nodes = site.centre.nodes
    return {
        "configuration": configuration.global_configuration(site),
        **{f"hosts/{name}": f"hostname {name}\n" for name in (site.host, *(node for node, _ in nodes))},
        **{f"exechosts/{node}": configuration.execution_host(node, of) for node, of in nodes},
        **{f"nodes/{node}": configuration.node_configuration(index) for index, (node, _) in enumerate(nodes)},
        **{f"pes/{name}": configuration.parallel_environment(name) for name in configuration.PARALLEL_ENVIRONMENTS},
        **{f"complexes/{one.name}": one.read_text() for one in (RESOURCES / "centry").iterdir()},
        **{f"complexes/{name}": text for name, text in configuration.complexes(site).items()},
    }


def drafts_of(site: Site) -> Path:
    return site.folder / "etc" / "gridengine"


def commands(site: Site) -> Path:
    return root(site) / "bin" / architecture()


def daemon_of(site: Site, node: str) -> Path:
    return root(site) / "daemons" / f"sge_execd.{node}"


@cache
def architecture() -> str:
    """Grid Engine's word for this machine's, such as lx-amd64."""
    done = subprocess.run(["/usr/share/gridengine/util/arch"], capture_output=True, text=True, check=True)
    return done.stdout.strip()
