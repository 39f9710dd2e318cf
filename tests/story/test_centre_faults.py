"""The centre's side fails: its scheduler dies, lines are cut, nodes are lost, accounting is late or changes."""

import os
import signal
import time
from uuid import UUID

from demo.stage import Stage, Tenant
from tests.story.acts import (
    END_SECONDS,
    assert_charged_as_accounted,
    assert_sound,
    ended,
    micro,
    names_at,
    price,
    queued_at,
    reached,
    sacct,
    script,
    sql,
    workers,
)
from tests.story.gate import closed_gate

from paracloud.wire.account import CentreRequest
from paralab.running import RunningCentre

OUTAGE_SECONDS = 60.0


def account_of(stage: Stage, tenant: Tenant, centre: str) -> str:
    query = "SELECT account FROM centre_accounts WHERE project_id = $1 AND centre = $2"
    found: str = sql(stage, query, tenant.project, centre)[0][0]
    return found


def signal_at(centre: RunningCentre, name: str, *selection: str) -> bool:
    return centre.exec(["pkill", f"-{name}", *selection]).returncode == 0


def test_an_ssh_session_cut_in_the_middle_of_the_submit_reply_doubles_nothing(stage, tenant) -> None:
    centre = stage.lab.centres["east"]
    ended(stage, tenant, tenant.client.submit(script(tenant, "true")).id)
    account = account_of(stage, tenant, "east")
    for worker in workers(stage):
        os.kill(worker, signal.SIGSTOP)
    jobs = [tenant.client.submit(script(tenant, "true")).id for _ in range(40)]
    names = {f"pc-{job.hex}" for job in jobs}
    for worker in workers(stage):
        os.kill(worker, signal.SIGCONT)
    stage.wait(lambda: not names.isdisjoint(queued_at(stage, "east")), "the first of the batch")
    assert signal_at(centre, "STOP", "-x", "slurmctld")
    try:
        assert signal_at(centre, "KILL", "-u", account, "-x", "sshd")
    finally:
        signal_at(centre, "CONT", "-x", "slurmctld")
    done = [ended(stage, tenant, job) for job in jobs]
    assert {one.job.state for one in done} == {"completed"}
    accepted = names_at(stage, "east")
    assert [accepted.count(f"pc-{job.hex}") for job in jobs] == [1] * len(jobs)
    assert sql(stage, "SELECT max(tries) FROM jobs WHERE project_id = $1", tenant.project)[0][0] > 1
    for one in done:
        assert_charged_as_accounted(stage, tenant, one)


def test_slurmctld_killed_at_once_after_acceptance_leaves_no_job_unexplained(stage, tenant) -> None:
    centre = stage.lab.centres["west"]
    with closed_gate(stage, tenant.project) as gate:
        jobs = [tenant.client.submit(script(tenant, "sleep 1", centre="west")).id for _ in range(3)]
        stage.wait(gate.has_caught, "the commit of native ids")
        centre.kill("slurmctld")
    centre.start("slurmctld")
    for done in [ended(stage, tenant, job) for job in jobs]:
        assert names_at(stage, "west").count(f"pc-{done.job.id.hex}") <= 1
        if done.job.state == "lost":
            assert done.job.charged.amount == "0.000000"
        else:
            # Its node may have begun what the controller forgot: that is then ended there, and accounted as cancelled.
            told = sacct(stage, "west", "-j", str(done.job.native_id))[-1][1].partition(" ")[0].lower()
            assert done.job.state == told
            assert done.job.state in ("completed", "cancelled")
            assert_charged_as_accounted(stage, tenant, done)
    assert micro(tenant.client.balance(tenant.project).held.amount) == 0
    assert_sound(stage)


def test_slurmctld_down_for_a_minute_loses_nothing(stage, tenant) -> None:
    centre = stage.lab.centres["west"]
    running = tenant.client.submit(script(tenant, "sleep 15", centre="west")).id
    reached(stage, tenant, running, "running")
    # The controller writes its jobs down some seconds later; what it forgets when it dies before is another story.
    began = time.time()
    stage.wait(lambda: (centre.site.folder / "state/job_state").stat().st_mtime > began, "its state on disk")
    centre.kill("slurmctld")
    until = time.monotonic() + OUTAGE_SECONDS
    waiting = [tenant.client.submit(script(tenant, "true", centre="west")).id for _ in range(3)]
    stage.wait(lambda: not _is_well(stage, "west"), "the centre to be reported as troubled")
    stage.wait(lambda: time.monotonic() > until, "the outage to last", OUTAGE_SECONDS * 2)
    assert tenant.client.job(running).job.state == "running"
    assert {tenant.client.job(job).job.state for job in waiting} <= {"accepted", "submitting"}
    centre.start("slurmctld")
    for done in [ended(stage, tenant, job) for job in (running, *waiting)]:
        assert done.job.state == "completed"
        assert names_at(stage, "west").count(f"pc-{done.job.id.hex}") == 1
        assert_charged_as_accounted(stage, tenant, done)
    stage.wait(lambda: _is_well(stage, "west"), "the centre to be well again")


def test_an_accounting_record_that_comes_late_is_waited_for(stage, tenant) -> None:
    centre = stage.lab.centres["west"]
    centre.kill("slurmdbd", hard=False)
    try:
        job = tenant.client.submit(script(tenant, "sleep 2", centre="west")).id
        reached(stage, tenant, job, "ending")
        assert f"pc-{job.hex}" not in queued_at(stage, "west") or not tenant.client.job(job).job.is_final
    finally:
        centre.start("slurmdbd")
    done = ended(stage, tenant, job)
    assert done.job.state == "completed"
    assert_charged_as_accounted(stage, tenant, done)
    assert micro(done.job.charged.amount) > 0


def test_a_record_that_changes_after_it_was_charged_gets_a_supplementary_entry(stage, tenant) -> None:
    done = ended(stage, tenant, tenant.client.submit(script(tenant, "sleep 2")).id)
    first = micro(done.job.charged.amount)
    change_record(stage, "east", str(done.job.native_id), seconds=30)
    row = sacct(stage, "east", "-j", str(done.job.native_id))[0]
    expected = price(int(row[2]), "east")
    assert expected > first > 0
    stage.wait(
        lambda: micro(tenant.client.job(done.job.id).job.charged.amount) == expected,
        "the supplementary entry",
        END_SECONDS,
    )
    query = "SELECT revision, amount_micro FROM charges WHERE reference = $1 ORDER BY revision"
    charges = [tuple(row) for row in sql(stage, query, str(done.job.id))]
    assert charges == [(1, first), (2, expected - first)]
    assert_charged_as_accounted(stage, tenant, tenant.client.job(done.job.id))


def test_a_job_whose_node_is_lost_runs_again_and_each_run_is_charged_once(stage, tenant) -> None:
    centre = stage.lab.centres["east"]
    job = tenant.client.submit(script(tenant, "sleep 8", requeue="true")).id
    node = reached(stage, tenant, job, "running").job.node_list
    centre.kill(f"slurmd.{node}")
    centre.exec(["scontrol", "update", f"nodename={node}", "state=down", "reason=lost"])
    try:
        native = native_id(tenant, job)
        centre.exec(["scontrol", "update", f"jobid={native}", "starttime=now"])
        done = ended(stage, tenant, job)
    finally:
        centre.start(f"slurmd.{node}")
        centre.exec(["scontrol", "update", f"nodename={node}", "state=resume"])
    rows = sacct(stage, "east", "-j", native)
    assert done.job.state == "completed"
    assert sorted(row[1] for row in rows) == ["COMPLETED", "NODE_FAIL"]
    runs = sql(stage, "SELECT count(*) FROM usage WHERE reference = $1", str(job))
    assert runs[0][0] == len(rows) == 2
    assert_charged_as_accounted(stage, tenant, done)


def test_a_centre_whose_host_key_is_not_the_pinned_one_gets_no_login_and_no_job(stage) -> None:
    east, west = stage.lab.centres["east"], stage.lab.centres["west"]
    stage.operator.operator(
        "centres",
        CentreRequest(
            name="decoy", title_en="Decoy", title_zh="假中心", host=east.host, port=east.port, host_key=west.host_key,
            service_account=east.service_account, accounts=["decoy01"],
        ),
    )  # fmt: skip

    def complaint() -> str:
        found = next(one for one in stage.operator.centres().items if one.name == "decoy")
        return found.error_en or ""

    stage.wait(lambda: "host key" in complaint(), "the refusal")
    assert [queue for queue in stage.operator.queues().items if queue.centre == "decoy"] == []


def native_id(tenant: Tenant, job: UUID) -> str:
    found = tenant.client.job(job).job.native_id
    assert found is not None
    return found


def change_record(stage: Stage, centre: str, native: str, *, seconds: int) -> None:
    """In the centre's own accounting database, as an administrator there would mend it."""
    site = stage.lab.centres[centre].site
    query = f"UPDATE {site.cluster}_job_table SET time_end = time_end + {seconds} WHERE id_job = {int(native)}"  # noqa: S608
    command = ["mariadb", "--no-defaults", "-h127.0.0.1", f"-P{site.database_port}", "-uslurm", site.database_name]
    environment = ["env", f"MYSQL_PWD={site.database_password}"]
    done = stage.lab.centres[centre].exec([*environment, *command, "-e", query])
    assert done.returncode == 0, done.stderr


def _is_well(stage: Stage, centre: str) -> bool:
    return next(one for one in stage.operator.centres().items if one.name == centre).is_well is True
