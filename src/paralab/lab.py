"""Build a lab: an inventory in, running centres out."""

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

from paralab.box import make_folders
from paralab.errors import LabError
from paralab.inventory import Inventory
from paralab.mariadb import prepare
from paralab.ports import LOCK, free_block, locked, next_job_id
from paralab.running import STARTED, RunningLab, load, wait_until
from paralab.schedulers import scheduler_of
from paralab.site import PORTS_A_CENTRE, Site

NEEDED = {
    "sshd": "openssh-server", "unshare": "util-linux", "nsenter": "util-linux", "setpriv": "util-linux",
}  # fmt: skip
"""Programs that every centre needs, and the Debian packages that hold them; a scheduler names more."""
FIRST_UID = 21_000
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,39}", re.ASCII)
KEPT_SECONDS = 86_400.0
READY_SECONDS = 150.0


def home() -> Path:
    """Where labs are built: every account must be able to walk there, so not below root's own home."""
    return Path(os.environ.get("PARALAB_HOME", "/var/lib/paralab"))


def folder_of(name: str, root: Path) -> Path:
    """A lab's folder. LabError for a name that is none: it becomes a path that is removed with the lab."""
    if not NAME.fullmatch(name) or name == "cache":
        raise LabError(
            f"{name[:80]!r} is no name for a lab; use letters, digits, - and _, at most 40, and not cache.",
            f"{name[:80]!r} 不能作为实验环境的名称；请使用字母、数字、- 和 _，最长 40 个字符，且不能为 cache。",
        )
    return root / name


def up(
    inventory: Inventory, *, name: str = "lab", trust: str = "", attached: bool = False, where: Path | None = None
) -> RunningLab:
    """Build and start; returns when every node is idle. `trust` is the authority's public key that the centres accept.
    `attached`: the lab dies with this process, however it dies. LabError where a lab of that name runs, or where the
    machine cannot hold one; then nothing is left behind."""
    _demand(inventory)
    root = where or home()
    folder = folder_of(name, root)
    with locked(root / LOCK):
        if load(folder) is not None:
            raise LabError(
                f"The lab {name} runs already; `paralab down --name {name}` ends it.",
                f"实验环境 {name} 已在运行；可用 paralab down --name {name} 结束。",
            )
        _sweep(root)
        sites = _plan(inventory, root, folder, name)
        supervisor = _hold(folder, attached=attached)
        STARTED[supervisor.pid] = supervisor
        try:
            _await_ready(folder, supervisor, sites)
        except BaseException:
            supervisor.kill()
            supervisor.wait()
            RunningLab(folder, supervisor.pid, {}).down()
            raise
    running = load(folder)
    assert running is not None, "it has just reported itself ready"  # noqa: S101
    if trust:
        running.trust(trust)
    return running


def _demand(inventory: Inventory) -> None:
    if os.getuid() != 0:
        raise LabError(
            "A lab needs root: its centres have Unix accounts and namespaces of their own.",
            "搭建实验环境需要 root 权限：各超算中心有自己的 Unix 账号和命名空间。",
        )
    path = os.environ.get("PATH", "") + ":/usr/sbin:/sbin"
    programs = programs_for(inventory).items()
    missing = sorted({package for program, package in programs if shutil.which(program, path=path) is None})
    if missing:
        packages = " ".join(missing)
        raise LabError(
            f"Missing: apt-get install --no-install-recommends {packages}",
            f"缺少软件包，请执行：apt-get install --no-install-recommends {packages}",
        )


def programs_for(inventory: Inventory) -> dict[str, str]:
    """What this inventory's centres need, each with its Debian package: nothing for others."""
    programs = dict(NEEDED)
    for centre in inventory.centres:
        programs |= scheduler_of(centre).programs
    return programs


def _sweep(root: Path) -> None:
    """Labs whose holder was killed leave their folders; after a day nobody looks for the reason any more."""
    for plan in root.glob("*/plan.json"):
        if time.time() - plan.stat().st_mtime > KEPT_SECONDS and load(plan.parent) is None:
            shutil.rmtree(plan.parent, ignore_errors=True)


def _demand_open(folder: Path) -> None:
    for parent in folder.parents:
        if parent.stat().st_mode & 0o011 != 0o011:
            raise LabError(
                f"{parent} is closed to the centres' accounts; choose another PARALAB_HOME.",
                f"{parent} 对超算账号不可访问；请更换 PARALAB_HOME。",
            )


def _plan(inventory: Inventory, root: Path, folder: Path, name: str) -> Mapping[str, Site]:
    _demand_open(folder)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    folder.chmod(0o755)
    password, build = secrets.token_hex(16), secrets.token_hex(3)
    taken: set[int] = set()
    database_port = free_block(1, taken)
    taken.add(database_port)
    sites: dict[str, Site] = {}
    for index, centre in enumerate(inventory.centres):
        port = free_block(PORTS_A_CENTRE, taken)
        taken.update(range(port, port + PORTS_A_CENTRE))
        cluster = f"{centre.name.replace('-', '')}{build}{index}"  # a-b and ab are two centres
        sites[centre.name] = Site(
            centre, folder / centre.name, port, FIRST_UID + 1000 * index, next_job_id(root / "cache" / "next-job-id"),
            database_port, f"slurm_acct_{cluster}", password, cluster,
        )  # fmt: skip
        make_folders(folder / centre.name)
        (folder / f"{centre.name}.json").touch(mode=0o600)
        (folder / f"{centre.name}.json").write_text(sites[centre.name].dump())
    needs_database = any(scheduler_of(centre).needs_database for centre in inventory.centres)
    if needs_database:
        (folder / "mariadb").mkdir(mode=0o700)
        prepare(root / "cache", folder / "mariadb", password)
    files = {key: str(folder / f"{key}.json") for key in sites}
    plan = {"name": name, "database_port": database_port if needs_database else None, "sites": files}
    (folder / "plan.json").write_text(json.dumps(plan))
    return sites


def _hold(folder: Path, *, attached: bool) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "paralab.supervisor", str(folder)]
    if attached:
        command = ["setpriv", "--pdeathsig", "KILL", *command]
    with (folder / "supervisor.log").open("ab") as log:
        supervisor = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True, cwd="/"
        )
    (folder / "supervisor.pid").write_text(str(supervisor.pid))
    return supervisor


def _await_ready(folder: Path, supervisor: subprocess.Popen[bytes], sites: Mapping[str, Site]) -> None:
    def is_ready() -> bool:
        for name, site in sites.items():
            if (site.folder / "failed").exists():
                reason = "; ".join([(site.folder / "failed").read_text(), *_complaints(site.folder / "log")])
                raise LabError(f"{name} did not come up: {reason}", f"{name} 未能启动：{reason}")
        if supervisor.poll() is not None:
            tail = (folder / "supervisor.log").read_text()[-500:]
            raise LabError(f"The lab ended at once: {tail}", f"实验环境立即退出：{tail}")
        return (folder / "pids.json").exists() and all((site.folder / "ready").exists() for site in sites.values())

    wait_until(is_ready, "the centres to come up", READY_SECONDS)


def _complaints(logs: Path) -> list[str]:
    """What the daemons said, the newest last; few daemons are ended by more than one fault."""
    lines = [line for log in sorted(logs.glob("*.out")) for line in log.read_text(errors="replace").splitlines()]
    return [line.strip() for line in lines if "fatal:" in line or "error:" in line][-5:]
