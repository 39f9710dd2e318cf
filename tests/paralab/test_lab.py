"""Real centres from an inventory: what comes up, that nothing of it stays, and that labs know nothing of each other."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import asyncssh
import pytest
from tests.paralab.acts import HOLDER, assert_nothing_left, left_of, ports_of, running, until

from paralab.errors import LabError
from paralab.inventory import default_inventory, parse
from paralab.lab import home, up
from paralab.running import RunningCentre, is_alive, load, processes_of

pytestmark = pytest.mark.live
ONE_NODE = "[centre.{name}.partition.cpu]\nnodes = {nodes}\ncores = 2\nmemory_mib = 4000\ndefault = true\n"
RUN = Path(__file__).parents[2] / "run"


def one_centre(name: str = "tiny", nodes: int = 1) -> str:
    return f"[centre.{name}]\naccounts = 2\n" + ONE_NODE.format(name=name, nodes=nodes)


def submit(centre: RunningCentre, *words: str) -> int:
    done = centre.exec(["sbatch", "--parsable", *words], account=centre.pool[0])
    assert done.returncode == 0, done.stderr
    return int(done.stdout)


def test_a_centres_job_cannot_come_into_the_database_behind_accounting(lab_name: str) -> None:
    """The centres share the machine's loopback network, and the database writes files as whoever runs it."""
    with running(lab_name, one_centre()) as lab:
        centre = lab.centres["tiny"]
        base = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{centre.site.database_port}"]
        for user in ("root", "slurm", "mariadb.sys", "", centre.pool[0]):
            for more in ([], ["-pslurm"], ["-p"]):
                asked = centre.exec([*base, f"-u{user}", *more, "-e", "SELECT 1"], account=centre.pool[0])
                assert (asked.returncode, "denied" in asked.stderr) == (1, True), (user, more, asked.stderr)
        own = [*base, "-uslurm", f"-p{centre.site.database_password}", "-N", "-e"]
        assert centre.exec([*own, "SELECT 1"]).stdout == "1\n"
        assert centre.exec([*own, f"SELECT 1 INTO OUTFILE '{lab.folder}/mariadb/files/x'"]).returncode == 1
        assert centre.exec([*own, "SELECT @@secure_file_priv"]).stdout == f"{lab.folder}/mariadb/files/\n"


def test_two_centres_come_up_each_with_everything_of_its_own(lab_name: str) -> None:
    with running(lab_name) as lab:
        east, west = lab.centres["east"], lab.centres["west"]
        assert left_of(lab.folder, []), "what looks for leftovers sees a lab that runs"
        for centre in (east, west):
            _is_whole(centre)
        assert east.host_key != west.host_key
        keys = [(one.site.folder / "munge/key").read_bytes() for one in (east, west)]
        assert keys[0] != keys[1]
        assert east.exec(["unmunge"], stdin=west.exec(["munge", "-n"]).stdout).returncode != 0
        databases = {one.site.database_port for one in (east, west)}
        assert len(databases) == 1
        assert len({one.site.database_name for one in (east, west)}) == 2
        with pytest.raises(LabError, match=f"The lab {lab_name} runs already"):
            up(default_inventory(), name=lab_name)
        assert is_alive(lab.supervisor), "the refused one did no harm"


def _is_whole(centre: RunningCentre) -> None:
    assert centre.exec(["hostname"]).stdout.strip() == f"{centre.name}-login"
    assert sorted(centre.exec(["ls", "/home"]).stdout.split()) == sorted([centre.service_account, *centre.pool])
    # Not the single files: a mount on one is gone when a program outside replaces the file, as useradd does.
    assert centre.exec(["mountpoint", "-q", "/etc"]).returncode == 0
    assert centre.exec(["mountpoint", "-q", "/etc/passwd"]).returncode != 0
    mine = centre.exec(["stat", "-c", "%U %a", f"/home/{centre.pool[0]}"]).stdout.split()
    assert mine == [centre.pool[0], "700"]
    assert centre.exec(["ls", f"/home/{centre.pool[0]}"], account=centre.pool[1]).returncode != 0
    running = centre.exec(["ps", "-eo", "comm="]).stdout.split()
    for daemon in ("sshd", "munged", "slurmctld", "slurmdbd"):
        assert running.count(daemon) == 1, daemon
    nodes = centre.site.centre.nodes
    assert running.count("slurmd") == len(nodes)
    assert "mariadbd" not in running
    shown = centre.exec(["sacctmgr", "-n", "-P", "show", "cluster", "format=cluster"]).stdout.split()
    assert shown == [centre.site.cluster]
    idle = centre.exec(["sinfo", "-h", "-N", "-t", "idle", "-o", "%N"]).stdout.split()
    assert sorted(idle) == sorted(name for name, _ in nodes)
    partitions = centre.exec(["sinfo", "-h", "-o", "%R %G"]).stdout.split("\n")
    assert any(line.startswith("gpu gpu:") for line in partitions)


async def test_each_sshd_shows_its_own_host_key(lab_name: str) -> None:
    inventory = one_centre("left") + one_centre("right")
    with running(lab_name, inventory) as lab:
        shown = {}
        for name, centre in lab.centres.items():
            key = await asyncssh.get_server_host_key("127.0.0.1", centre.port)
            assert key is not None
            shown[name] = key.export_public_key("openssh").decode().strip()
        assert shown == {name: centre.host_key for name, centre in lab.centres.items()}
        assert len(set(shown.values())) == 2


def test_down_leaves_nothing_and_fresh_centres_never_repeat_a_job_id(lab_name: str) -> None:
    with running(lab_name, one_centre()) as lab:
        centre = lab.centres["tiny"]
        first = submit(centre, "--wrap", "sleep 600")
        until(lambda: list((centre.site.folder / "spool").iterdir()) == [], "nothing of the box's own spool outside")
        until(lambda: "slurmstepd" in centre.exec(["ps", "-eo", "comm="]).stdout, "the job")
    assert_nothing_left(lab.folder, ports_of(lab))
    assert not lab.folder.exists()
    assert load(lab.folder) is None
    lab.down()
    with running(lab_name, one_centre()) as again:
        assert submit(again.centres["tiny"], "--hold", "--wrap", "true") > first
        assert again.centres["tiny"].host_key


def test_a_lab_dies_with_the_program_that_holds_it_however_that_dies(lab_name: str) -> None:
    command = [sys.executable, "-c", HOLDER, one_centre(), lab_name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        lab = load(home() / lab_name)
        assert lab is not None
        submit(lab.centres["tiny"], "--wrap", "srun sleep 600")
        until(lambda: "sleep" in lab.centres["tiny"].exec(["ps", "-eo", "comm="]).stdout, "the job")
        holder.kill()
    until(lambda: left_of(lab.folder, ports_of(lab)) == [], f"the lab to end: {left_of(lab.folder, ports_of(lab))}")
    assert load(lab.folder) is None
    lab.down()


def test_a_lab_in_the_shell_is_built_shown_and_ended(lab_name: str, tmp_path: Path) -> None:
    file = tmp_path / "inventory.toml"
    file.write_text(one_centre())
    name = ("--name", lab_name)
    for word in ("status", "down"):
        assert_refused(run(word, *name), f"No lab {lab_name} runs", "没有运行中")
    built = run("up", str(file), *name, "--json")
    try:
        assert built.returncode == 0, built.stderr
        shown = json.loads(built.stdout)["tiny"]
        assert (shown["scheduler"], shown["host"]) == ("slurm", "127.0.0.1")
        assert shown["accounts"] == ["tiny001", "tiny002"]
        assert shown["partitions"] == {"cpu": {"nodes": 1, "cores": 2}}
        assert json.loads(run("status", *name, "--json").stdout)["tiny"] == shown
        assert "127.0.0.1" in run("status", *name).stdout
        assert_refused(run("up", str(file), *name), f"The lab {lab_name} runs already", "已在运行")
        assert "tinycpu1" in run("exec", "tiny", "sinfo", "-N", *name).stdout
        assert_refused(run("exec", "east", "true", *name), "There is no centre east; name one of tiny", "没有超算中心")
    finally:
        lab = load(home() / lab_name)
        ended = run("down", *name)
    assert (ended.returncode, ended.stdout) == (0, "")
    assert lab is not None
    assert_nothing_left(lab.folder, ports_of(lab))
    assert not lab.folder.exists()


@pytest.mark.parametrize(
    ("text", "said"), [("[centre", "not TOML"), (one_centre(nodes=65), "1 to 64"), ("\xff", "cannot be read")]
)
def test_a_bad_inventory_is_refused_in_the_shell_and_builds_nothing(
    lab_name: str, tmp_path: Path, text: str, said: str
) -> None:
    file = tmp_path / "inventory.toml"
    file.write_bytes(text.encode("latin-1"))
    assert_refused(run("up", str(file), "--name", lab_name), said, "请" if said != "not TOML" else "清单")
    assert not (home() / lab_name).exists()


def test_a_centre_that_cannot_come_up_says_why_at_once_and_leaves_nothing(lab_name: str) -> None:
    inventory = one_centre() + '[centre.tiny.slurm]\nSelectType = "select/nothing"\n'
    with pytest.raises(LabError, match=r"slurmctld ended at once.*select/nothing"):
        up(parse(inventory), name=lab_name, attached=True)
    assert_nothing_left(home() / lab_name, [])
    assert not (home() / lab_name).exists()


def test_a_killed_lab_that_nobody_held_is_cleared_by_down(lab_name: str) -> None:
    lab = up(parse(one_centre()), name=lab_name)
    os.kill(lab.supervisor, signal.SIGKILL)
    until(lambda: not is_alive(lab.supervisor), "the supervisor to end")
    until(lambda: left_of(lab.folder, ports_of(lab)) == [], "the lab to end")
    assert lab.folder.exists()
    assert run("down", "--name", lab_name).returncode == 0
    assert not lab.folder.exists()


def test_sixty_four_nodes_in_one_centre_come_up_and_run_one_job(lab_name: str) -> None:
    begun = time.monotonic()
    with running(lab_name, one_centre("wide", 64)) as lab:
        centre = lab.centres["wide"]
        ready = time.monotonic() - begun
        idle = centre.exec(["sinfo", "-h", "-N", "-t", "idle", "-o", "%N"]).stdout.split()
        assert len(set(idle)) == 64
        ran = centre.exec(["srun", "-N64", "sh", "-c", "echo $SLURMD_NODENAME"], account=centre.pool[0])
        assert sorted(ran.stdout.split()) == sorted(name for name, _ in centre.site.centre.nodes), ran.stderr
        done = time.monotonic() - begun
        print(f"64 nodes: up in {ready:.1f} s, srun at {done:.1f} s, {_memory_mib(lab.folder):.0f} MiB")


def _memory_mib(folder: Path) -> float:
    """Proportional set size: pages that many share count once."""
    total = 0
    for pid in processes_of(folder):
        with suppress(FileNotFoundError, ProcessLookupError):  # it may end while it is looked at
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
            total += sum(int(size) for size in re.findall(r"^Pss:\s+(\d+)", text, re.M))
    return total / 1024


def test_a_node_whose_daemon_is_killed_goes_down_and_comes_back(lab_name: str) -> None:
    inventory = one_centre(nodes=2) + "[centre.tiny.slurm]\nSlurmdTimeout = 5\n"
    with running(lab_name, inventory) as lab:
        centre = lab.centres["tiny"]

        def state(node: str = "tinycpu1") -> str:
            return centre.exec(["sinfo", "-h", "-n", node, "-o", "%T"]).stdout.strip()

        centre.kill("slurmd.tinycpu1")
        until(lambda: state().startswith("down"), "the node to be down")
        assert centre.exec(["pgrep", "-f", "slurmd -D -N tinycpu2"]).returncode == 0, "the other one is left alone"
        centre.start("slurmd.tinycpu1")
        until(lambda: state() == "idle", "the node to be back")
        ran = centre.exec(["srun", "-w", "tinycpu1", "hostname"], account=centre.pool[0])
        assert ran.stdout == "tiny-login\n"


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(RUN), "lab", *words], capture_output=True, text=True, check=False, timeout=120)


def assert_refused(done: subprocess.CompletedProcess[str], en: str, zh: str) -> None:
    assert done.returncode == 1, done.stdout
    assert en in done.stderr
    assert zh in done.stderr
    assert "Traceback" not in done.stderr
