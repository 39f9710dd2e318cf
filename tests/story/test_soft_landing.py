"""Money ends under running jobs at a real centre: one writes its checkpoint and is stopped, one is topped up."""

from uuid import UUID

from demo.stage import Stage, Tenant
from tests.story.acts import END_SECONDS, assert_charged_as_accounted, ended, micro, price, reached, script

from paracloud.wire.account import TopUpRequest
from paracloud.wire.paying import FundingRequest

CATCH = """
trap 'echo state >checkpoint.dat; echo checkpoint written' USR1
while :; do sleep 0.2; done
"""
SLICES = FundingRequest(hold_seconds=60, grace_seconds=8)
FIRST_SECONDS = 60 + 8 + 120
"""The slice, the grace, and what the centre may let a job run on before it kills it."""
ENOUGH = "0.006"
"""For the first seconds of one core and no minute more."""


def frugal(stage: Stage, login: str) -> tuple[Tenant, UUID]:
    """A tenant whose money ends under its one job, which runs."""
    tenant = stage.tenant(login, money=ENOUGH)
    stage.operator.fund(tenant.project, SLICES)
    job = tenant.client.submit(script(tenant, CATCH)).id
    reached(stage, tenant, job, "running")
    return tenant, job


def told(tenant: Tenant) -> list[str]:
    return [one.kind for one in tenant.client.notices(tenant.project).items]


def checkpoints(tenant: Tenant, job: UUID) -> int:
    return tenant.client.log(job).decode().split().count("written")


def test_a_job_is_stopped_after_warning_signal_and_grace_and_another_goes_on_when_money_comes(stage: Stage) -> None:
    poor, landing = frugal(stage, "frugal1")
    saved, going = frugal(stage, "frugal2")
    held = price(FIRST_SECONDS, "east")
    assert micro(poor.client.job(landing).job.held.amount) in (held, held + 1)
    stage.wait(lambda: told(saved) == ["landing"], "the warning", END_SECONDS)
    stage.operator.top_up(TopUpRequest(project=saved.project, amount="1", key="just-in-time"))
    stage.wait(lambda: told(saved) == ["landing", "landing-called-off"], "the money to be seen")

    done = ended(stage, poor, landing)
    assert (done.job.state, told(poor)) == ("cancelled", ["landing", "stopping"])
    assert "money that the project can spend ended" in done.job.reason
    assert "资金用尽" in done.job.reason
    said = [event for event in done.events if event.reason and event.note]
    warned, signalled, stopping = said[:3]
    assert "to go on after" in warned.reason
    assert "USR1 was sent" in signalled.reason
    assert (stopping.at - signalled.at).total_seconds() >= SLICES.grace_seconds
    assert checkpoints(poor, landing) == 1
    assert "checkpoint.dat" in {one.name for one in poor.client.files(landing).items}
    assert micro(done.job.charged.amount) <= micro(done.job.held.amount)
    assert micro(poor.client.balance(poor.project).available.amount) >= 0
    assert_charged_as_accounted(stage, poor, done)

    still = saved.client.job(going).job
    assert (still.state, still.wish) == ("running", None)
    assert micro(still.held.amount) > held + 1
    saved.client.wish(going, "cancel")
    assert_charged_as_accounted(stage, saved, ended(stage, saved, going))
