"""`./run demo`: a researcher's LAMMPS job goes through two real centres, and its bill is shown to the micro-yuan.

--once   end and remove everything afterwards, instead of keeping the API up
--json   print one JSON object as the last line
"""

import argparse
import json
import signal
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path
from uuid import UUID

from rich.console import Console
from rich.table import Table

from demo.stage import PRICES, Stage, Tenant
from paracloud.client.errors import ApiError
from paracloud.wire.jobs import JobDetailModel, JobRequest
from paralab.errors import LabError

MELT = Path("/usr/share/lammps/examples/melt/in.melt")
RANKS, NODES = 4, 2
SCRIPT = f"""#!/bin/bash
#SBATCH --job-name=melt
#SBATCH --nodes={NODES}
#SBATCH --ntasks={RANKS}
#SBATCH --time=00:10:00
export OMP_NUM_THREADS=1 OMPI_MCA_mpi_yield_when_idle=1  # four ranks may share fewer real cores here
srun --kill-on-bad-exit=1 lmp -in in.melt -log log.lammps
"""
END_SECONDS = 240


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="run demo", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--once", action="store_true")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    console = Console(stderr=asked.json)
    if not MELT.exists():
        console.print(f"{MELT} is missing: apt-get install lammps lammps-examples")
        return 1
    started = time.monotonic()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # a closing system ends it as Ctrl-C does
    signal.signal(signal.SIGINT, signal.default_int_handler)
    stage = Stage("demo")
    try:
        with console.status("Building two Slurm centres, connecting them over SSH, opening a project …"):
            stage.open()
            tenant = stage.tenant("researcher", organisation="Open University")
        facts = tell(console, stage, tenant)
        facts["seconds"] = round(time.monotonic() - started, 3)
        if asked.json:
            print(json.dumps(facts), flush=True)
        if not asked.once:
            linger(console, stage, tenant)
        return 0 if facts["is_right"] else 1
    except (LabError, ApiError) as error:
        console.print(error.en, error.zh, sep="\n")
        return 1
    except (TimeoutError, RuntimeError, subprocess.CalledProcessError) as error:
        console.print(f"The demo could not go on: {error}", f"演示无法继续：{error}", sep="\n")
        return 1
    except KeyboardInterrupt:
        return 0
    finally:
        with console.status("Removing everything …"):
            stage.close()


def tell(console: Console, stage: Stage, tenant: Tenant) -> dict[str, object]:
    """Submit, follow, fetch, and recompute the bill from the centre's own accounting."""
    show_centres(console, stage)
    inputs = [tenant.client.upload(tenant.project, MELT, "in.melt")]
    accepted = tenant.client.submit(JobRequest(project=tenant.project, script=SCRIPT, inputs=inputs))
    console.print(f"[bold]Submitted[/] {MELT.name} on {RANKS} ranks over {NODES} nodes: {accepted.why_en}")
    done = follow(console, tenant, accepted.id)
    lines = thermo(b"".join(tenant.client.content(accepted.id, "log.lammps")).decode())
    console.print("[bold]Thermodynamic output[/], brought back from the centre:", *lines, sep="\n  ")
    return bill(console, stage, tenant, done)


def show_centres(console: Console, stage: Stage) -> None:
    table = Table("centre", "partition", "nodes", "cores", "free", "cards", "¥/core-hour", title="What the grid offers")
    for queue in stage.operator.queues().items:
        cards = f"{queue.gpus_per_node * queue.nodes} {queue.gpu_model}" if queue.gpu_model else "-"
        numbers = (str(queue.nodes), str(queue.cores), str(queue.free_cores))
        table.add_row(queue.centre, queue.name, *numbers, cards, (queue.core_hour or "-").rstrip("0"))
    console.print(table)


def follow(console: Console, tenant: Tenant, job: UUID) -> JobDetailModel:
    seen = 0
    deadline = time.monotonic() + END_SECONDS
    while time.monotonic() < deadline:
        found = tenant.client.job(job)
        for event in found.events[seen:]:
            console.print(f"  {event.at:%H:%M:%S}  {event.to_state:10} {event.native_state}")
        seen = len(found.events)
        if found.job.is_final:
            return found
        time.sleep(0.3)
    raise TimeoutError(f"the job did not end in {END_SECONDS} s")


def thermo(log: str) -> list[str]:
    """The table of step, temperature, energies and pressure in LAMMPS' log."""
    lines = log.splitlines()
    first = next((at for at, line in enumerate(lines) if line.split()[:2] == ["Step", "Temp"]), None)
    last = next((at for at, line in enumerate(lines) if line.startswith("Loop time")), None)
    if first is None or last is None:
        return lines[-5:]  # no table: LAMMPS says there why
    return lines[first : last + 1]


def bill(console: Console, stage: Stage, tenant: Tenant, done: JobDetailModel) -> dict[str, object]:
    job = done.job
    core_seconds = own_accounting(stage, job.centre, str(job.native_id))
    price = Fraction(PRICES[job.centre][job.queue][0])
    expected = round(core_seconds * price * 1_000_000 / 3600)
    charged = micro(job.charged.amount)
    check = stage.operator.check()
    balance = tenant.client.balance(tenant.project)
    is_right = (
        charged == expected and check.ledger_sum_micro == 0 and not check.differences and job.state == "completed"
    )
    console.print(
        f"[bold]{job.state}[/] at {job.centre}/{job.queue} as job {job.native_id} on {job.node_list}: "
        f"{job.cores} cores, {core_seconds} core-seconds by the centre's own accounting."
    )
    console.print(
        f"[bold]Bill[/]: ¥{job.charged.amount} (held ¥{job.held.amount}; accounting x price = ¥{expected / 1e6:.6f}); "
        f"balance ¥{balance.available.amount}, ledger sum {check.ledger_sum_micro}, "
        f"{len(check.differences)} differences: {'exact' if is_right else 'WRONG'}."
    )
    return {
        "job_state": job.state,
        "job": str(job.id),
        "centre": job.centre,
        "queue": job.queue,
        "native_id": job.native_id,
        "cores": job.cores,
        "accounting_core_seconds": core_seconds,
        "charged_micro": charged,
        "expected_micro": expected,
        "ledger_sum_micro": check.ledger_sum_micro,
        "is_right": is_right,
    }


def own_accounting(stage: Stage, centre: str, native_id: str) -> int:
    """Core-seconds from a sacct call of our own inside the centre, past all of the platform's code and tables."""
    argv = ["sacct", "-X", "-n", "-P", "-j", native_id, "-o", "CPUTimeRAW"]
    return int(stage.lab.centres[centre].exec(argv).stdout.strip())


def micro(amount: str) -> int:
    return int(Fraction(amount) * 1_000_000)


def linger(console: Console, stage: Stage, tenant: Tenant) -> None:
    console.print(
        f"\nThe API stays up at {stage.url}/docs until Ctrl-C. In another terminal:\n\n"
        f"  export PARACLOUD_URL={stage.url}\n"
        f"  export PARACLOUD_TOKEN={tenant.token}\n"
        "  ./run whoami; ./run queues; ./run ps\n"
        "  ./run submit --command hostname --wait\n",
        soft_wrap=True,
        highlight=False,
    )
    while True:
        time.sleep(3600)


if __name__ == "__main__":
    sys.exit(main())
