"""The centre itself counts the scheduler commands that it sees: in no minute more than were published for it."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from demo.stage import Stage, Tenant
from tests.story.acts import script

from paracloud.wire.account import CentreRequest
from paracloud.wire.tariffs import ContractRequest, PriceRequest
from paralab.running import RunningCentre

NAME, PUBLISHED, JOBS = "counted", 24, 4
RUN_SECONDS = 75
"""While something runs, rounds follow each other as fast as the budget lets them: for more than a minute."""
COMMANDS = ("sbatch", "scancel", "scontrol", "squeue", "sacct", "sinfo", "sacctmgr", "sdiag", "sprio", "sshare")
ACCOUNTS = [f"west{number}" for number in range(195, 199)]
"""Nobody else's; the first watches."""
_COUNTING = """#!/bin/sh
printf '%s %s %s\\n' "$(date +%s.%N)" "$(id -un)" "${{0##*/}}" >>{log}
exec /usr/bin/"${{0##*/}}" "$@"
"""


@contextmanager
def counting(centre: RunningCentre) -> Iterator[Path]:
    """Every scheduler command of the centre writes a line before it runs: its programs stand before the real ones on
    everybody's PATH there, and nowhere else."""
    log, programs = centre.site.folder / "log/commands", centre.site.folder / "log/counting"
    log.touch()
    log.chmod(0o666)
    programs.mkdir()
    for name in COMMANDS:
        (programs / name).write_text(_COUNTING.format(log=log))
        (programs / name).chmod(0o755)
    assert centre.exec(["mount", "--bind", str(programs), "/usr/local/bin"]).returncode == 0
    yield log
    assert centre.exec(["umount", "/usr/local/bin"]).returncode == 0


def seen(log: Path) -> list[float]:
    """When commands of the accounts lent under NAME came, by the centre's clock."""
    rows = [line.split() for line in log.read_text().splitlines()]
    return sorted(float(at) for at, account, _ in rows if account in ACCOUNTS)


def connect(stage: Stage, centre: RunningCentre) -> None:
    stage.operator.operator(
        "centres",
        CentreRequest(
            name=NAME, title_en=NAME, title_zh=NAME, host=centre.host, port=centre.port, host_key=centre.host_key,
            service_account=ACCOUNTS[0], accounts=ACCOUNTS[1:], commands_per_minute=PUBLISHED,
        ),
    )  # fmt: skip
    stage.operator.operator("prices", PriceRequest(centre=NAME, queue="debug", core_hour="0.01", is_unseen=True))
    stage.operator.operator("contracts", ContractRequest(centre=NAME, share_basis_points=8000))
    stage.wait(lambda: NAME in {one.centre for one in stage.operator.queues().items}, "the first probe")


def test_a_centre_sees_no_more_commands_in_a_minute_than_were_published(stage: Stage, tenant: Tenant) -> None:
    centre = stage.lab.centres["west"]
    with counting(centre) as log:
        connect(stage, centre)
        bodies = [f"sleep {RUN_SECONDS}", *["true"] * JOBS]
        wanted = [script(tenant, body, centre=NAME, partition="debug") for body in bodies]
        jobs = [tenant.client.submit(one).id for one in wanted]
        stage.wait(lambda: all(tenant.client.job(one).job.is_final for one in jobs), "all jobs to end", 400)
        assert {tenant.client.job(one).job.state for one in jobs} == {"completed"}
        at = seen(log)
    fullest = max(sum(begin <= one < begin + 60 for one in at) for begin in at)
    assert PUBLISHED * 2 / 3 <= fullest <= PUBLISHED
