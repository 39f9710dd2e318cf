"""A real Grid Engine centre beside a Slurm one: its nodes are hosts, its queues have limits, its accounting is true."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

import asyncssh
import pytest
from tests.paralab.acts import HOLDER, assert_nothing_left, left_of, ports_of, running, until

from paralab.cli import describe
from paralab.gridengine import network
from paralab.lab import home
from paralab.running import RunningCentre, RunningLab, load, processes_of

pytestmark = pytest.mark.live
GRID = """
[centre.grid]
scheduler = "gridengine"
accounts = 2
[centre.grid.partition.cpu]
nodes = 2
cores = 8
memory_mib = 64000
max_time = "2-00:00:00"
default = true
[centre.grid.partition.gpu]
nodes = 1
cores = 8
memory_mib = 64000
max_time = "0-00:30:00"
gpus = 2
gpu_model = "a100"
"""
SLURM = """
[centre.tiny]
accounts = 2
[centre.tiny.partition.cpu]
nodes = 1
cores = 2
memory_mib = 4000
default = true
"""
ALONE = """
[centre.alone]
scheduler = "gridengine"
accounts = 1
[centre.alone.partition.cpu]
nodes = 1
cores = 2
memory_mib = 4000
"""
Record = dict[str, str]


@pytest.fixture(scope="module")
def lab() -> Iterator[RunningLab]:
    if os.getuid() != 0:
        pytest.skip("real centres need root")
    with running(f"paralab-{os.getpid()}-grid", GRID + SLURM) as lab:
        yield lab


@pytest.fixture
def grid(lab: RunningLab) -> Iterator[RunningCentre]:
    """Empty before, and empty after."""
    centre = lab.centres["grid"]
    yield centre
    centre.exec(["qdel", "-f", "-u", "*"])
    until(lambda: queued(centre) == "", "the queues to be empty")


def said(centre: RunningCentre, *argv: str, account: str | None = None) -> str:
    done = centre.exec(argv, account=account or centre.pool[0])
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def submit(centre: RunningCentre, *words: str) -> str:
    """The job's number: of an array without its tasks."""
    return said(centre, "qsub", "-terse", *words).strip().partition(".")[0]


def script(centre: RunningCentre, text: str) -> str:
    file = centre.site.folder / "home" / centre.pool[0] / "job.sh"
    file.write_text(f"#!/bin/bash\n{text}\n")
    return file.name


def printed(centre: RunningCentre, name: str) -> str:
    return (centre.site.folder / "home" / centre.pool[0] / name).read_text()


def queued(centre: RunningCentre) -> str:
    return said(centre, "qstat", "-u", "*", account="root")


def accounted(centre: RunningCentre, job: str, records: int = 1, *, account: str | None = None) -> list[Record]:
    """What qacct knows of a job, as soon as it knows all of it."""

    def found() -> list[Record]:
        text = centre.exec(["qacct", "-j", job], account=account or centre.service_account).stdout
        pairs = [[line.split(None, 1) for line in one.splitlines() if line] for one in text.split("=" * 62 + "\n")[1:]]
        return [{line[0]: line[1].strip() if len(line) > 1 else "" for line in one} for one in pairs]

    until(lambda: len(found()) == records, f"{records} records of {job}")
    return found()


def refused(centre: RunningCentre, *words: str) -> str:
    """What qsub says of a job that no queue could ever run."""
    done = centre.exec(["qsub", "-w", "e", "-b", "y", *words, "true"], account=centre.pool[0])
    assert done.returncode != 0, done.stdout
    return done.stdout + done.stderr


def test_both_kinds_of_centre_come_up_in_one_lab_each_with_its_own(lab: RunningLab) -> None:
    grid, tiny = lab.centres["grid"], lab.centres["tiny"]
    assert {name: shown["scheduler"] for name, shown in describe(lab).items()} == {
        "grid": "gridengine",
        "tiny": "slurm",
    }
    assert said(tiny, "sinfo", "-h", "-N", "-t", "idle", "-o", "%N").split() == ["tinycpu1"]
    queues = [line.split() for line in said(grid, "qstat", "-f").splitlines() if "@" in line]
    assert sorted((one[0], one[2]) for one in queues) == [
        ("cpu@gridcpu1", "0/0/8"), ("cpu@gridcpu2", "0/0/8"), ("gpu@gridgpu1", "0/0/8"),
    ]  # fmt: skip
    assert all(len(one) == 5 for one in queues), "a sixth column says what is wrong"
    daemons = said(grid, "ps", "-eo", "args=")
    assert daemons.count("/sge_execd.grid") == 3
    assert daemons.count("/sge_qmaster") == 1
    assert not any(word in daemons for word in ("slurm", "munge", "mariadb"))
    assert "sge" not in said(tiny, "ps", "-eo", "comm=")
    limits = {name: said(grid, "qconf", "-sq", name) for name in ("cpu", "gpu")}
    assert [limits[name].split("h_rt")[1].split()[0] for name in limits] == ["48:00:00", "00:30:00"]
    assert "    8" in said(grid, "qhost", "-h", "gridcpu1"), "as many processors as the inventory says"
    assert "gpu_model=a100" in said(grid, "qhost", "-F", "gpu_model", "-h", "gridgpu1")
    assert sorted(said(grid, "qconf", "-spl").split()) == ["mpi", "smp"]


def test_an_account_has_no_more_rights_than_anywhere_and_everybody_reads_accounting(grid: RunningCentre) -> None:
    job = submit(grid, "-b", "y", "true")
    for account in (grid.service_account, *grid.pool):
        denied = grid.exec(["qconf", "-dq", "gpu"], account=account)
        assert "must be manager" in denied.stdout + denied.stderr
        (record,) = accounted(grid, job, account=account)
        assert record["owner"] == grid.pool[0]
    theirs = submit(grid, "-h", "-b", "y", "sleep", "60")
    kept = grid.exec(["qdel", theirs], account=grid.pool[1])
    assert "necessary privileges" in kept.stdout + kept.stderr
    assert theirs in queued(grid)


def test_an_array_runs_task_by_task_and_each_is_accounted(grid: RunningCentre) -> None:
    name = script(grid, 'echo "$SGE_TASK_ID at $(hostname) in $TMPDIR"; exit $SGE_TASK_ID')
    job = submit(grid, "-t", "1-3", "-q", "cpu", name)
    assert int(job) >= grid.site.first_job_id % 10_000_000
    records = sorted(accounted(grid, job, 3), key=lambda one: one["taskid"])
    assert [one["taskid"] for one in records] == ["1", "2", "3"]
    assert [one["exit_status"] for one in records] == ["1", "2", "3"]
    assert {one["failed"] for one in records} == {"0"}
    for one in records:
        task, node = one["taskid"], one["hostname"]
        scratch = grid.site.folder / "scratch" / node / f"{job}.{task}.cpu"
        assert printed(grid, f"job.sh.o{job}.{task}") == f"{task} at {node} in {scratch}\n"
        assert not scratch.exists(), "it went with its task"
        assert (one["qname"], one["slots"], one["granted_pe"]) == ("cpu", "1", "NONE")


def test_a_job_of_two_slots_stays_on_one_host_and_has_memory_for_each(grid: RunningCentre) -> None:
    name = script(grid, "cat $PE_HOSTFILE; ulimit -v; sort -u <(hostname) <(uname -n)")
    default, asked = submit(grid, "-pe", "smp", "2", name), submit(grid, "-pe", "smp", "2", "-l", "h_vmem=1G", name)
    for job, memory_kib in ((default, 2 * 8000 * 1024), (asked, 2 * 1024**2)):
        (record,) = accounted(grid, job)
        node = record["hostname"]
        assert (record["slots"], record["granted_pe"], record["exit_status"]) == ("2", "smp", "0")
        assert printed(grid, f"job.sh.o{job}") == f"{node} 2 cpu@{node} UNDEFINED\n{memory_kib}\n{node}\n"


def test_an_mpi_job_fills_two_hosts_and_is_accounted_once(grid: RunningCentre) -> None:
    job = submit(grid, "-pe", "mpi", "12", "-q", "cpu", script(grid, "mpirun hostname | sort | uniq -c"))
    until(lambda: job not in queued(grid), "the job to end")
    accounted(grid, submit(grid, "-b", "y", "true"))  # the log is in order: nothing of the job comes after this
    (record,) = accounted(grid, job)
    assert (record["slots"], record["granted_pe"], record["exit_status"], record["failed"]) == ("12", "mpi", "0", "0")
    ranks = {line.split()[1]: int(line.split()[0]) for line in printed(grid, f"job.sh.o{job}").splitlines()}
    assert ranks == {"gridcpu1": 12 - ranks["gridcpu2"], "gridcpu2": ranks["gridcpu2"]}
    assert sorted(ranks.values()) == [4, 8]


def test_the_limit_of_a_job_is_enforced_and_the_queues_is_not_exceeded(grid: RunningCentre) -> None:
    job = submit(grid, "-l", "h_rt=2", "-b", "y", "sleep", "600")
    assert "no suitable queues" in refused(grid, "-q", "gpu", "-l", "h_rt=00:31:00")
    assert "no suitable queues" in refused(grid, "-l", "h_rt=49:00:00")
    (record,) = accounted(grid, job)
    assert record["failed"].split()[0] == "37"
    assert record["exit_status"].split()[0] == "137"
    assert 2 <= int(record["ru_wallclock"].removesuffix("s")) < 60


def test_cards_are_lent_to_one_job_at_a_time(grid: RunningCentre) -> None:
    assert "no suitable queues" in refused(grid, "-l", "gpu=3")
    assert "no suitable queues" in refused(grid, "-l", "gpu=1,gpu_model=h100")
    assert "no suitable queues" in refused(grid, "-q", "cpu", "-l", "gpu=1")
    wanted = ["-l", "gpu=2,gpu_model=a100", "-pe", "smp", "2", "-b", "y", "sleep"]
    first = submit(grid, *wanted, "4")
    second = submit(grid, *wanted, "0")
    (earlier,), (later,) = accounted(grid, first), accounted(grid, second)
    assert {earlier["hostname"], later["hostname"]} == {"gridgpu1"}
    assert earlier["end_time"] <= later["start_time"], "the same day, so that words compare as times"


def test_a_job_that_is_deleted_takes_none_of_another_node_with_it(grid: RunningCentre) -> None:
    """Grid Engine ends a job by the group of its processes, and all nodes' processes are in each other's sight."""
    jobs = {
        node: submit(grid, "-l", f"hostname={node}", "-b", "y", "-shell", "n", "sleep", length)
        for node, length in (("gridcpu1", "601"), ("gridcpu2", "8"))
    }
    until(lambda: "sleep 601" in said(grid, "ps", "-eo", "args="), "the first to run")
    until(lambda: "sleep 8" in said(grid, "ps", "-eo", "args="), "the second to run")
    said(grid, "qdel", jobs["gridcpu1"])
    (deleted,), (kept,) = accounted(grid, jobs["gridcpu1"]), accounted(grid, jobs["gridcpu2"])
    assert deleted["exit_status"].split()[0] == "137"
    assert (kept["hostname"], kept["exit_status"], kept["failed"]) == ("gridcpu2", "0", "0")


def test_daemons_are_killed_and_started_one_by_one_and_jobs_go_on(grid: RunningCentre) -> None:
    job = submit(grid, "-l", "hostname=gridcpu1", "-b", "y", "-shell", "n", "sleep", "6")
    until(lambda: "sleep 6" in said(grid, "ps", "-eo", "args="), "the job to run")
    grid.kill("sge_qmaster")
    assert grid.exec(["qstat"], account=grid.pool[0]).returncode != 0
    grid.kill("sge_execd.gridcpu2")
    daemons = said(grid, "ps", "-eo", "args=")
    assert "sge_execd.gridcpu1" in daemons, "the other one is left alone"
    assert "sge_execd.gridcpu2" not in daemons
    grid.start("sge_qmaster")
    until(lambda: grid.exec(["qstat"]).returncode == 0, "sge_qmaster to be back")
    grid.start("sge_execd.gridcpu2")
    again = submit(grid, "-l", "hostname=gridcpu2", "-b", "y", "hostname")
    assert int(again) == int(job) + 1
    (record,), (later,) = accounted(grid, job), accounted(grid, again)
    assert (record["exit_status"], record["failed"], record["hostname"]) == ("0", "0", "gridcpu1")
    assert (later["exit_status"], later["hostname"]) == ("0", "gridcpu2")


async def test_whoever_logs_in_finds_the_commands_and_the_cell(grid: RunningCentre) -> None:
    authority, key = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
    grid.trust(authority.export_public_key().decode())
    account = grid.pool[0]
    certificate = authority.generate_user_certificate(key, "test", principals=[account])
    async with asyncssh.connect(
        grid.host, grid.port, username=account, client_keys=[(key, certificate)], known_hosts=None, config=None
    ) as connection:
        submitted = await connection.run("qsub -terse -b y hostname", check=True)
        assert "sge/bin" in str((await connection.run("command -v qsub", check=True)).stdout)
    (record,) = accounted(grid, str(submitted.stdout).strip())
    assert (record["owner"], record["exit_status"]) == (account, "0")


def test_down_leaves_nothing_and_fresh_centres_never_repeat_a_job_id(lab: RunningLab, lab_name: str) -> None:
    """Beside another lab whose Grid Engine runs on."""
    with running(lab_name, ALONE) as alone:
        centre = alone.centres["alone"]
        assert not (alone.folder / "mariadb").exists(), "no centre asks for a database"
        assert left_of(alone.folder, ports_of(alone)), "what looks for leftovers sees a lab that runs"
        first = submit(centre, "-b", "y", "sleep", "600")
        until(lambda: "sleep" in said(centre, "ps", "-eo", "comm="), "the job")
        ports = ports_of(alone)
    assert_nothing_left(alone.folder, ports)
    assert not alone.folder.exists()
    assert not network.is_gone(lab.centres["grid"].site), "the other lab's network is left alone"
    with running(lab_name, ALONE) as again:
        assert submit(again.centres["alone"], "-h", "-b", "y", "true") != first
    said(lab.centres["grid"], "qhost")


def test_a_lab_is_down_only_when_its_network_has_left_the_machine(lab_name: str) -> None:
    """Whoever builds the next one at the same ports gives its cable the same name."""
    with running(lab_name, ALONE) as alone:
        site, box = alone.centres["alone"].site, Path("/proc", str(alone.centres["alone"].pid))
        with (box / "root/run/netns" / network.SWITCH).open() as held, ThreadPoolExecutor(1) as threads:
            down = threads.submit(alone.down)
            until(lambda: processes_of(alone.folder) == [], "the processes to end")
            assert wait([down], timeout=1).not_done, "the network is held, so it is not down yet"
            assert not network.is_gone(site)
            held.close()
            down.result()
        assert network.is_gone(site)


def test_a_lab_dies_with_the_program_that_holds_it_however_that_dies(lab_name: str) -> None:
    command = [sys.executable, "-c", HOLDER, ALONE, lab_name]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "up\n"
        lab = load(home() / lab_name)
        assert lab is not None
        submit(lab.centres["alone"], "-b", "y", "sleep", "600")
        until(lambda: "sleep" in said(lab.centres["alone"], "ps", "-eo", "comm="), "the job")
        holder.kill()
    until(lambda: left_of(lab.folder, ports_of(lab)) == [], f"the lab to end: {left_of(lab.folder, ports_of(lab))}")
    lab.down()
    assert not Path(lab.folder).exists()
