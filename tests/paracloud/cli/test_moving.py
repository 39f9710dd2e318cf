"""What a user reads of a job that leaves a centre for another, and of reasons that are longer than a line."""

import json
import re
from uuid import UUID

import pytest
from rich.cells import cell_len
from sqlalchemy import text
from tests.paracloud.jobs.world import EAST, START, WEST

from paracloud.cli import show
from paracloud.jobs import store_moves
from paracloud.jobs.keep_back import KEPT
from paracloud.jobs.moving import MoveStep

LONG = "ReqNodeNotAvail, UnavailableNodes:" + ",".join(f"n{number:04}" for number in range(40))


@pytest.fixture
def waiting(served, terminal, lin):
    """A job that waits in the east for what its scheduler says; moved, where a step is said."""

    def wait(reason: str, step: MoveStep | None = None) -> str:
        words = ("submit", "--command", "true", "--centre", EAST, "--json")
        job = json.loads(terminal.say(lin, *words))["id"]
        served.do(_wait(served.house.database, UUID(job), reason, step))
        return job

    return wait


QUEUED = """
    UPDATE jobs SET state = 'queued', native_id = id::text, native_state = 'PENDING', reason = :reason WHERE id = :job
"""


KEPT_BACK = "UPDATE jobs SET kept = true, reason = :reason WHERE id = :job"


async def _keep(database, job: UUID) -> None:
    async with database.begin() as session:
        await session.execute(text(KEPT_BACK), {"job": job, "reason": KEPT})


async def _wait(database, job: UUID, reason: str, step: MoveStep | None) -> None:
    async with database.begin() as session:
        await session.execute(text(QUEUED), {"job": job, "reason": reason})
        if step is not None:
            await store_moves.add(session, {
                "job_id": job, "attempt": 0, "step": step.value, "began_at": START, "changed_at": START,
                "from_centre": EAST, "from_queue": "cpu", "from_account": "east0", "from_native_id": "7",
                "from_tries": 1, "to_centre": WEST, "to_queue": "long", "why_en": "x", "why_zh": "x",
            })  # fmt: skip


def test_a_job_that_moves_is_not_said_to_be_held_by_somebody(terminal, lin, waiting):
    job = waiting("JobHeldUser", MoveStep.HOLDING)
    shown = terminal.say(lin, "ps")
    assert "moves to west/long" in shown
    assert "JobHeldUser" not in shown
    shown = terminal.say(lin, "show", job, language="zh_CN.UTF-8")
    assert "正在改派至 west/long" in shown
    assert "JobHeldUser" not in shown
    one = json.loads(terminal.say(lin, "show", job, "--json"))["job"]
    assert (one["reason"], one["leaving"]) == ("JobHeldUser", {"centre": "west", "queue": "long", "stays": False})


def test_a_job_that_is_kept_back_says_what_it_waits_for(served, terminal, lin):
    job = json.loads(terminal.say(lin, "submit", "--command", "true", "--centre", EAST, "--json"))["id"]
    served.do(_keep(served.house.database, UUID(job)))
    assert "waits for room at any centre" in terminal.say(lin, "ps")
    assert "在平台等候任一中心的空闲资源" in terminal.say(lin, "show", job, language="zh_CN.UTF-8")


def test_one_that_stays_after_all_is_said_to_be_let_go_and_one_that_its_user_holds_is_held(terminal, lin, waiting):
    back, mine = waiting("JobHeldUser", MoveStep.RELEASING), waiting("JobHeldUser")
    of = {line.split()[0]: line for line in terminal.say(lin, "ps").split("\n") if "JobHeldUser" in line}
    assert "JobHeldUser (stays here: the platform undoes its own hold)" in of[back]
    assert "JobHeldUser  " in of[mine]


def test_a_long_reason_is_cut_to_the_terminal_and_is_whole_for_a_program(terminal, lin, waiting):
    job = waiting(LONG)
    lines = terminal.say(lin, "ps", COLUMNS="132", language="zh_CN.UTF-8").split("\n")
    assert max(map(cell_len, lines)) == 132
    row = next(line for line in lines if job in line)
    assert re.search(r"ReqNodeNotAvail, \S*…\s+0\.000000", row)
    assert LONG in terminal.say(lin, "ps", COLUMNS="")
    assert json.loads(terminal.say(lin, "ps", "--json"))["items"][0]["reason"] == LONG


@pytest.mark.parametrize("columns", [40, 80, 100, 400])
def test_only_the_column_that_is_cut_gives_way_and_no_state_is_lost(capsys, monkeypatch, columns):
    monkeypatch.setenv("COLUMNS", str(columns))
    monkeypatch.setattr(show.console, "width", columns)
    rows = [
        ("01a21c14-025f-7bb6-9a5d-b86e20c44d51", "job", "east/cpu", state, "0.00") for state in (LONG, "staging_in")
    ]
    show.table(["job", "name", "where", "state", "charged"], rows, cut="state")
    lines = capsys.readouterr().out.split("\n")
    assert max(map(len, lines)) == min(max(columns, 79), 79 - 10 + len(LONG))
    for line, row in zip(lines[3:5], rows, strict=True):
        assert all(cell in line for cell in (*row[:3], row[4]))
    assert "staging_in" in lines[4]
    assert ("…" in lines[3]) == (columns < 400)
