"""`usage report`: what is stored, in the form of an import's dry run."""

import csv
import json
from datetime import timedelta

import pytest
from tests.paracloud.dialects.log_lines import sacct
from tests.paracloud.jobs.world import EAST, START

from paracloud.dialects.history import HistoryRecord, accounted
from paracloud.dialects.slurm import history as slurm
from paracloud.metering.collect import collect

LOG = [sacct(), sacct(JobID="72", JobIDRaw="72", Partition="gpu"), sacct(JobID="73", JobIDRaw="73", Partition="gpu")]


@pytest.fixture
def used(served, lin):
    """The log's records are lin's usage."""
    records = [accounted(one) for one in slurm.read(LOG) if isinstance(one, HistoryRecord)]

    async def go():
        async with served.house.database.begin() as session:
            owners = {one.account: lin.project for one in records}
            await collect(session, EAST, records, owners=owners, claims={}, now=START + timedelta(days=2))

    served.do(go())


def test_the_stored_report_is_the_dry_runs_to_the_letter(terminal, lin, used):
    (terminal.home / "log").write_text("".join(LOG))
    words = ("usage", "import", "--format", "sacct", "--centre", "east", "--dry-run", "log", "--json", "--report-by")
    for by in ("day", "queue,day", "user,month,centre"):
        dry = terminal.say(lin, *words, by)
        assert json.loads(terminal.say(lin, "usage", "report", "--by", by, "--json")) == json.loads(dry)


def test_a_report_is_comma_separated_or_a_table(terminal, lin, used):
    words = ("usage", "report", "--by", "queue,project,product-line", "--from", "2026-06-02")
    header, cpu, gpu = csv.reader(terminal.say(lin, *words, "--csv").splitlines())
    assert header == [
        "queue", "project", "product-line", "project_id", "jobs", "core_hours", "node_hours", "gpu_hours", "wall_hours",
        "wait_hours",
    ]  # fmt: skip
    assert cpu[:3] == ["cpu", "熔体", "unrated"]
    assert gpu[3:6] == [str(lin.project), "2", "1045.333333"]
    assert "1045.333333" in terminal.say(lin, *words)
    nothing = terminal.say(lin, *words, "--from", "2030-01-01", "--csv")
    assert list(csv.reader(nothing.splitlines())) == [header]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("--by", "day,month"), "not both day and month"),
        (("--from", "yesterday"), "'yesterday' is no day"),
        (("--from", "2026-06-02", "--to", "2026-06-01"), "must come after 2026-06-02"),
        (("--json", "--csv"), "not both"),
    ],
)
def test_a_report_that_cannot_be_meant_is_refused(terminal, lin, words, why):
    done = terminal.run(lin, "usage", "report", *words)
    assert done.returncode != 0
    assert why in " ".join(done.stderr.replace("│", " ").split())
