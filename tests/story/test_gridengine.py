"""One script at a centre with Slurm and at one with Grid Engine: it runs, is charged by the centre's own accounting,
and its output comes back, at both."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import pytest
from demo.stage import Stage, Tenant
from tests.story.acts import END_SECONDS, assert_sound, ended, micro, reached, sacct, script, sql
from tests.story.test_moves import FREE, MOVES
from tests.story.test_soft_landing import CATCH, ENOUGH, SLICES, checkpoints, told

from paracloud.client.errors import ApiError
from paracloud.wire.jobs import JobDetailModel
from paralab.inventory import Centre, Inventory, Partition, SchedulerName
from paramon.sample.profile import open_profile

YUAN_A_CORE_HOUR = Fraction(1, 10)
CPU = Partition("cpu", 2, 8, 16000, "1-00:00:00", is_default=True)
PROGRAM = Path(sys.executable).with_name("paracloud")
CENTRES = (Centre("slurm", 8, (CPU,)), Centre("grid", 8, (CPU,), scheduler=SchedulerName.GRID_ENGINE))
each_centre = pytest.mark.parametrize("centre", ["slurm", "grid"])


@pytest.fixture(scope="module")
def both() -> Iterator[Stage]:
    if os.getuid() != 0:
        pytest.skip("real centres need root")
    with Stage("story-both", Inventory(CENTRES), patience_seconds=20) as opened:
        yield opened


@pytest.fixture(scope="module")
def customer(both: Stage) -> Tenant:
    return both.tenant("both")


def core_seconds(stage: Stage, centre: str, job: str) -> list[int]:
    """What the centre's own tool says of each execution: cores times seconds."""
    if centre == "slurm":
        return [int(row[2]) for row in sacct(stage, centre, "-j", job)]
    said = stage.lab.centres[centre].exec(["qacct", "-j", job]).stdout
    rows = [
        dict(line.split(None, 1) for line in one.splitlines() if " " in line.strip()) for one in said.split("=" * 62)
    ]
    return [int(row["slots"]) * int(row["ru_wallclock"].rstrip("s")) for row in rows if "slots" in row]


def assert_charged(stage: Stage, tenant: Tenant, done: JobDetailModel) -> None:
    seconds = core_seconds(stage, str(done.job.centre), str(done.job.native_id))
    assert seconds
    assert micro(done.job.charged.amount) == sum(round(one * YUAN_A_CORE_HOUR * 1_000_000 / 3600) for one in seconds)
    assert micro(tenant.client.balance(tenant.project).held.amount) == 0
    assert_sound(stage)


@each_centre
def test_the_same_script_runs_and_is_charged_at_both(both: Stage, customer: Tenant, centre: str) -> None:
    body = "srun bash -c 'echo task $SLURM_PROCID of $SLURM_NTASKS'; sleep 2; echo 完成 >&2; exit 3"
    wanted = script(
        customer, body, centre=centre, ntasks="4", error="%x.err", output="%x-%j.out", **{"job-name": "a b"}
    )
    done = ended(both, customer, customer.client.submit(wanted).id)
    assert (done.job.state, done.job.exit_code) == ("failed", 3)
    assert sorted(customer.client.log(done.job.id).decode().splitlines()) == [f"task {at} of 4" for at in range(4)]
    assert customer.client.log(done.job.id, stream="stderr").decode() == "完成\n"
    assert_charged(both, customer, done)
    assert micro(done.job.charged.amount) > 0


@each_centre
def test_an_array_from_nought_comes_through_at_both(both: Stage, customer: Tenant, centre: str) -> None:
    wanted = script(customer, "echo task $SLURM_ARRAY_TASK_ID; sleep 3", centre=centre, array="0-2", output="out.%j")
    done = ended(both, customer, customer.client.submit(wanted).id)
    assert (done.job.state, [task.task_index for task in done.tasks]) == ("completed", [0, 1, 2])
    assert [customer.client.log(done.job.id, task=at) for at in range(3)] == [
        f"task {at}\n".encode() for at in range(3)
    ]
    watched = [customer.client.profile(done.job.id, task=at).nodes[0].header for at in range(3)]
    assert [header and header["job"] for header in watched] == [task.record_id.partition("@")[0] for task in done.tasks]
    assert_charged(both, customer, done)


@each_centre
def test_a_job_cancelled_while_it_waits_costs_nothing_at_both(both: Stage, customer: Tenant, centre: str) -> None:
    accepted = customer.client.submit(script(customer, "sleep 60", centre=centre, hold="true"))
    reached(both, customer, accepted.id, "queued")
    customer.client.wish(accepted.id, "cancel")
    done = ended(both, customer, accepted.id)
    assert (done.job.state, done.job.charged.amount) == ("cancelled", "0.000000")
    assert_sound(both)


@each_centre
def test_a_job_that_waits_for_another_runs_after_it_at_both(both: Stage, customer: Tenant, centre: str) -> None:
    first = customer.client.submit(script(customer, "sleep 2", centre=centre))
    second = customer.client.submit(script(customer, "echo ran", centre=centre, dependency=f"afterok:{first.id}"))
    done = ended(both, customer, second.id)
    assert (done.job.state, customer.client.log(second.id)) == ("completed", b"ran\n")
    assert_charged(both, customer, done)


def test_what_grid_engine_cannot_be_told_goes_elsewhere_and_is_refused_by_name_where_it_has_to_go_there(
    both: Stage, customer: Tenant
) -> None:
    with pytest.raises(ApiError, match="--array"):
        customer.client.submit(script(customer, "true", centre="grid", array="1,3,7"))
    accepted = customer.client.submit(script(customer, "true", centre=None, array="1,3,7"))
    done = ended(both, customer, accepted.id)
    assert (done.job.state, done.job.centre) == ("completed", "slurm")
    assert_sound(both)


def test_money_that_ends_stops_a_job_after_warning_signal_and_grace(both: Stage) -> None:
    poor = both.tenant("frugal-grid", money=ENOUGH)
    both.operator.fund(poor.project, SLICES)
    job = poor.client.submit(script(poor, CATCH, centre="grid")).id
    done = ended(both, poor, job)
    assert (done.job.state, told(poor)) == ("cancelled", ["landing", "stopping"])
    assert checkpoints(poor, job) == 1
    assert "checkpoint.dat" in {one.name for one in poor.client.files(job).items}
    assert micro(done.job.charged.amount) <= micro(done.job.held.amount)
    assert_charged(both, poor, done)


def test_a_job_that_waits_at_a_full_grid_engine_moves_to_slurm_and_runs_once(both: Stage, customer: Tenant) -> None:
    hog = customer.client.submit(script(customer, "sleep 3600", centre="grid", ntasks="16", time="60")).id
    reached(both, customer, hog, "running")
    waiting = customer.client.submit(script(customer, "echo payload; sleep 1", centre="grid")).id
    native = str(reached(both, customer, waiting, "queued").job.native_id)
    sql(both, FREE, waiting)
    done = ended(both, customer, waiting)
    assert (done.job.state, done.job.centre, customer.client.log(waiting)) == ("completed", "slurm", b"payload\n")
    assert [row["step"] for row in sql(both, MOVES, waiting)] == ["moved"]
    assert core_seconds(both, "grid", native) == []
    customer.client.wish(hog, "cancel")
    assert ended(both, customer, hog).job.state == "cancelled"
    assert_charged(both, customer, done)


@each_centre
def test_a_job_is_watched_while_it_runs_and_its_profile_is_there_after_it(
    both: Stage, customer: Tenant, centre: str
) -> None:
    """The processes of its script and what they use, on the node that the scheduler gave it; not without the user."""
    body = "python3 -S -c 'import time\nwhile time.process_time() < 4: pass'; sleep 4; exit 5"
    job = customer.client.submit(script(customer, body, centre=centre, ntasks="1")).id
    silent = customer.client.submit(script(customer, "true", centre=centre).model_copy(update={"monitored": False})).id
    reached(both, customer, job, "running")
    seen, cursor, moments = {}, "", []
    while customer.client.job(job).job.state == "running":
        try:
            news = customer.client.profile(job, since=cursor)
        except ApiError:
            continue  # the collector has not begun
        for node in news.nodes:
            seen.update({one.number: one for one in node.processes})
            moments += [at for minute in node.minutes for at in minute.at_ms]
        cursor = news.cursor
    assert moments == sorted(set(moments)), "each moment is told once"
    assert len(moments) >= 4
    assert "sleep" in {one.name for one in seen.values()}
    assert ended(both, customer, job).job.exit_code == 5, "its ending is its own"
    whole = customer.client.profile(job)
    at = {name: number for number, name in enumerate(whole.fields)}
    (node,) = whole.nodes
    used = {number: rows[-1][1] for minute in node.minutes for number, rows in minute.rows.items()}
    burnt = max(row[at["user_ticks"]] + row[at["system_ticks"]] for row in used.values())
    assert burnt >= 300, "hundredths of a second"
    assert node.header["job"] == customer.client.job(job).job.native_id
    ended(both, customer, silent)
    with pytest.raises(ApiError):
        customer.client.profile(silent)


@each_centre
def test_a_job_of_two_nodes_shows_what_each_of_them_does_and_is_charged_as_its_nodes_are_held(
    both: Stage, customer: Tenant, centre: str
) -> None:
    body = "srun sleep 600 & while [ ! -e go ]; do sleep 0.2; done; kill $!; wait; exit 4"
    job = customer.client.submit(script(customer, body, centre=centre, ntasks="10")).id
    reached(both, customer, job, "running")
    names: dict[str, str] = {}
    ranks: dict[str, set[int]] = {}
    moments: dict[str, list[int]] = {}
    cursor = ""

    def are_both_seen() -> bool:
        nonlocal cursor
        try:
            news = customer.client.profile(job, since=cursor)
        except ApiError:
            return False  # the first collector has not begun
        cursor = news.cursor
        for node in news.nodes:
            if node.header:
                names[node.file] = node.header["node"]
            ranks.setdefault(node.file, set()).update(one.rank for one in node.processes if one.name == "sleep")
            moments.setdefault(node.file, []).extend(at for minute in node.minutes for at in minute.at_ms)
        return len(moments) == 2 and all(len(seen) > 3 for seen in moments.values())

    both.wait(are_both_seen, "both nodes", END_SECONDS)
    both.lab.centres[centre].exec(["sh", "-c", f"cd /home/*/paracloud/{job} && touch go"])
    done = ended(both, customer, job)
    assert (done.job.state, done.job.exit_code) == ("failed", 4)
    assert sorted(names.values()) == [f"{centre}cpu1", f"{centre}cpu2"]
    assert sorted(rank for seen in ranks.values() for rank in seen if rank >= 0) == list(range(10))
    assert all(seen == sorted(set(seen)) for seen in moments.values())
    assert len(core_seconds(both, centre, str(done.job.native_id))) == 1
    assert_charged(both, customer, done)
    if centre == "slurm":
        steps = ["sacct", "-n", "-P", "-j", str(done.job.native_id), "-o", "JobName,State"]
        assert "paramon|COMPLETED" in both.lab.centres[centre].exec(steps).stdout.splitlines()


@each_centre
def test_its_user_looks_on_from_a_terminal_and_keeps_what_was_seen(
    both: Stage, customer: Tenant, centre: str, tmp_path: Path
) -> None:
    known = {**os.environ, "PARACLOUD_URL": both.url, "PARACLOUD_TOKEN": customer.token, "LC_ALL": "C.UTF-8"}

    def said(*words: str) -> str:
        done = subprocess.run(
            [PROGRAM, "profile", str(job), *words], env=known, cwd=tmp_path, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    body = "python3 -S -c 'import time\nwhile time.process_time() < 3: pass'; sleep 4"
    job = customer.client.submit(script(customer, body, centre=centre, ntasks="1")).id
    pages = said("--follow")
    assert "sleep 4" in pages, "while it ran"
    # Grid Engine ends what is left of a job in the moment when its script has ended: the collector, too, mostly.
    how = ("ended",) if centre == "slurm" else ("ended", "cut off")
    last = pages.rstrip()[-2000:]
    assert any(word in last for word in how), "until it ended"
    assert "LIVE" not in last[-400:]
    ended(both, customer, job)
    page = said()
    assert "python3" in page
    assert any(word in page for word in how)
    told = json.loads(said("--json"))
    assert 2500 < told["cpu_ms"] < 10_000
    assert told["nodes"][0]["end"] is not None or centre == "grid"
    assert "Kept in kept" in said("--save", "kept")
    kept, *_ = open_profile(str(tmp_path / "kept"))
    assert kept.header["job"] == customer.client.job(job).job.native_id
