"""A centre without power, and its operator's word for it: what it was sent runs elsewhere, once; and what it has of
that when it is back never starts, or is stopped at the platform's cost. Judged by both centres' sacct and by the
ledger."""

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import UUID

import pytest
from demo.stage import SHARES, Stage, Tenant
from tests.story.acts import (
    assert_charged_as_accounted,
    ended,
    micro,
    price,
    reached,
    script,
    sql,
)
from tests.story.gate import closed_at_remains, closed_at_step
from tests.story.hog import Hog
from tests.story.test_centre_faults import account_of
from tests.story.test_moves import SICKEN, rows_of
from tests.story.test_server_faults import tending

from paracloud.client.errors import ApiError
from paracloud.wire.gone import GivenUpModel, GoneRequest
from paralab.box import daemons
from paralab.ports import LOCK, locked
from paralab.process import listens

FREE = "UPDATE jobs SET movable = true, spec = spec - 'centre' WHERE id = $1"
"""As if it had not been bound to its centre."""
REMAINS = "SELECT remains FROM job_moves WHERE job_id = $1 AND remains IS NOT NULL"
HEALTH = "SELECT failures, sick_since, failing_since FROM centre_health WHERE centre = 'east'"
HASTEN = "UPDATE centre_health SET good_since = good_since - interval '1 hour' WHERE centre = 'east'"
FORGET = "UPDATE centre_health SET relapses = 0, recovered_at = NULL WHERE centre = 'east'"
"""The next story's centre has never been sick before."""
pytestmark = pytest.mark.timeout(1500)
"""Two power cuts, and centres that come back from them."""
LONG_IN_THE_EAST = '[ -e "$HOME/long" ] && { echo east >>"$HOME/ran"; sleep 600; }\necho payload'


class Power:
    """The east's. While it is off its ports are kept for it: another lab on this machine would take them."""

    def __init__(self, stage: Stage) -> None:
        self._stage, self._centre = stage, stage.lab.centres["east"]
        self._daemons = daemons(self._centre.site)
        self._nodes = [name for name in self._daemons if name.startswith("slurmd.")]
        self._kept: dict[str, socket.socket] = {}

    def off(self) -> None:
        """All that runs there ends at once: daemons, logins and jobs. No lab is built between that and the keeping."""
        port = self._centre.site.port
        ports = {"sshd": self._centre.port, "slurmctld": port + 1, "slurmdbd": port + 2}
        ports |= {name: port + 100 + at for at, name in enumerate(self._nodes)}
        with locked(self._centre.site.folder.parents[1] / LOCK):
            self._centre.exec(["bash", "-c", "kill -KILL -- -1"])
            what = ["pgrep", "-c", "sshd|slurm|munged|sleep"]
            self._stage.wait(lambda: self._centre.exec(what).stdout.strip() == "0", "the east to be off")
            self._kept = {name: socket.create_server(("127.0.0.1", at)) for name, at in ports.items()}

    def boot(self, *names: str) -> None:
        for name in names:
            if (kept := self._kept.pop(name, None)) is not None:
                kept.close()
            self._centre.start(name)

    def boot_scheduler(self) -> None:
        """Each after what it cannot start without."""
        self.boot("munged", "slurmdbd")
        self._stage.wait(lambda: listens(self._centre.site.port + 2), "slurmdbd")
        self.boot("slurmctld", *self._nodes)

    def boot_all(self) -> None:
        """What does not run yet."""
        running = self._centre.exec(["ps", "-eo", "args"]).stdout
        missing = [name for name, one in self._daemons.items() if " ".join(one.argv) not in running]
        self.boot(*(name for name in missing if name == "sshd"))
        if "slurmctld" in missing:
            self.boot_scheduler()


@pytest.fixture
def power(stage: Stage, hog: Hog) -> Iterator[Power]:
    """The east is whole again after it, whatever happened, and then the hog is asked to leave."""
    made = Power(stage)
    yield made
    made.boot_all()

    def is_well() -> bool:
        sql(stage, HASTEN)
        return sql(stage, HEALTH)[0]["failing_since"] is None

    stage.wait(is_well, "the east to be well", 240)
    sql(stage, FORGET)


def written_down(stage: Stage, native_id: str) -> None:
    """The controller writes its jobs down some seconds after a change, and a dead one forgets what it did not."""
    east, began = stage.lab.centres["east"], time.time()
    assert east.exec(["scontrol", "update", f"jobid={native_id}", "comment=seen"]).returncode == 0
    stage.wait(lambda: (east.site.folder / "state/job_state").stat().st_mtime > began, "its state on disk")


def sicken(stage: Stage) -> None:
    """Some rounds, of which each waits for an answer to the end of its patience."""
    stage.wait(lambda: sql(stage, HEALTH)[0]["failures"] > 0, "the east to fail", 240)
    sql(stage, SICKEN)
    stage.wait(lambda: sql(stage, HEALTH)[0]["sick_since"] is not None, "the east to be sick", 240)


def say(stage: Stage) -> GivenUpModel:
    return stage.operator.give_up("east", GoneRequest(reason="no power"))


def api_server(stage: Stage) -> int:
    found = subprocess.run(["pgrep", "-P", str(stage.server_pid)], capture_output=True, text=True, check=True).stdout
    (pid,) = [pid for pid in map(int, found.split()) if b"\0api\0" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    return pid


def remains(stage: Stage, job: UUID) -> str | None:
    rows = sql(stage, REMAINS, job)
    return rows[0]["remains"] if rows else None


def assert_ran_in_the_west(stage: Stage, tenant: Tenant, *jobs: UUID) -> None:
    for done in [ended(stage, tenant, job) for job in jobs]:
        assert (done.job.state, done.job.centre) == ("completed", "west")
        assert tenant.client.log(done.job.id) == b"payload\n"
        assert [row[1] for row in rows_of(stage, "west", done.job.id, 1)] == ["COMPLETED"]
        assert any("the machines of east are off (no power)" in event.reason for event in done.events)
        assert_charged_as_accounted(stage, tenant, done)


def test_what_a_dead_centre_was_sent_runs_elsewhere_once_and_never_there_when_it_is_back(
    stage, tenant, hog, power
) -> None:
    """The word is cut off in the middle, and so is who takes the markers: repeated, all ends in the same place."""
    east = stage.lab.centres["east"]
    jobs = [tenant.client.submit(script(tenant, "echo payload; echo ran >>$HOME/ran")).id for _ in range(2)]
    native = [str(reached(stage, tenant, job, "queued").job.native_id) for job in jobs]
    written_down(stage, native[-1])
    power.off()
    for job in jobs:
        sql(stage, FREE, job)
    with pytest.raises(ApiError, match=r"east answers|not long enough"):
        say(stage)
    sicken(stage)
    assert stage.operator.stranded("east").model_dump() == {"stranded": 2, "watched": 1}
    with ThreadPoolExecutor(1) as thread, closed_at_step(stage, jobs[1], "moved") as gate:
        word = thread.submit(say, stage)
        stage.wait(gate.has_caught, "the second job's move")
        os.kill(api_server(stage), signal.SIGKILL)
        os.kill(tending(stage, "east")[0], signal.SIGKILL)
        with pytest.raises(ApiError):
            word.result()
    stage.wait(lambda: _answers(stage), "the API")
    assert say(stage).model_dump() == {"moved": 1, "stays": [], "last": None}
    assert say(stage).model_dump() == {"moved": 0, "stays": [], "last": None}
    assert_ran_in_the_west(stage, tenant, *jobs)
    assert hog.state() == "running"
    with closed_at_remains(stage, jobs[1], "fenced") as gate:
        power.boot("sshd")
        stage.wait(gate.has_caught, "the markers to be ours")
        os.kill(tending(stage, "east")[0], signal.SIGKILL)
    stage.wait(lambda: [remains(stage, job) for job in jobs] == ["fenced", "fenced"], "the markers to be ours")
    assert sql(stage, HEALTH)[0]["failing_since"] is not None
    power.boot_scheduler()
    stage.wait(
        lambda: [remains(stage, job) for job in jobs] == ["over", "over"], "the east to have nothing of them", 240
    )
    assert east.exec(["ls", f"/home/{account_of(stage, tenant, 'east')}/ran"]).returncode != 0
    left = [row for job in jobs for row in rows_of(stage, "east", job, 0)]
    assert {row[1].partition(" ")[0] for row in left} <= {"CANCELLED", "COMPLETED"}
    hog.gone()
    assert_ran_in_the_west(stage, tenant, *jobs)


def _answers(stage: Stage) -> bool:
    try:
        return bool(stage.operator.centres().items)
    except ApiError:
        return False


def test_what_a_centre_starts_before_it_is_reached_is_stopped_and_paid_by_the_platform(
    stage, tenant, hog, power
) -> None:
    east = stage.lab.centres["east"]
    job = tenant.client.submit(script(tenant, LONG_IN_THE_EAST)).id
    native_id = str(reached(stage, tenant, job, "queued").job.native_id)
    assert east.exec(["scontrol", "hold", native_id]).returncode == 0
    hog.gone()
    account = account_of(stage, tenant, "east")
    assert east.exec(["touch", f"/home/{account}/long"], account=account).returncode == 0
    written_down(stage, native_id)
    power.off()
    sql(stage, FREE, job)
    sicken(stage)
    assert say(stage).moved == 1
    assert_ran_in_the_west(stage, tenant, job)
    power.boot_scheduler()
    stage.wait(lambda: east.exec(["scontrol", "release", native_id]).returncode == 0, "the controller")
    stage.wait(lambda: east.exec(["cat", f"/home/{account}/ran"]).stdout == "east\n", "the job to start there", 180)
    with closed_at_remains(stage, job, "started") as gate:
        power.boot("sshd")
        stage.wait(gate.has_caught, "the marker to be the job's")
        os.kill(tending(stage, "east")[0], signal.SIGKILL)
    stage.wait(lambda: remains(stage, job) == "over", "the job to be stopped there", 240)
    rows = rows_of(stage, "east", job, 0)
    assert [row[1].partition(" ")[0] for row in rows] == ["CANCELLED"]
    cost = price(int(rows[0][2]), "east") * SHARES["east"] // 10_000
    told = f"Job {job} was given up at east"
    stage.wait(lambda: any(told in one.en for one in stage.operator.operators_notices().items), "the notice")
    (notice,) = [one for one in stage.operator.operators_notices().items if told in one.en]
    assert notice.amount is not None
    assert abs(micro(notice.amount.amount) - cost) <= 1
    assert cost > 0
    usage = sql(stage, "SELECT is_duplicate, reference FROM usage WHERE name = $1", f"pc-{job.hex}")
    assert [tuple(row) for row in usage] == [(True, None)]
    done = tenant.client.job(job)
    assert (done.job.state, done.job.centre) == ("completed", "west")
    assert any("it had started at east as well" in event.reason for event in done.events)
    assert_charged_as_accounted(stage, tenant, done)
    spent = 100_000_000 - micro(tenant.client.balance(tenant.project).available.amount)
    assert spent == micro(done.job.charged.amount)
