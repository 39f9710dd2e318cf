import json
import stat
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import text

from paracloud.cli.main import app

JOB = "#!/bin/bash\n#SBATCH --time=10\ntrue\n"


def test_a_login_is_kept_for_its_owner_alone_and_used_afterwards(terminal, lin):
    done = terminal.run(None, "login", "--url", terminal.url, PARACLOUD_TOKEN=lin.token)
    assert (done.returncode, "Logged in as lin" in done.stdout) == (0, True)
    file = terminal.home / ".config/paracloud/login.toml"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert lin.token not in done.stdout + done.stderr
    assert "lin" in terminal.run(None, "whoami").stdout


@pytest.mark.parametrize("words", [["whoami"], ["centres"], ["queues"], ["ps"], ["balance"], ["movements"]])
def test_what_is_shown_to_people_is_there_for_programs(terminal, lin, words):
    assert terminal.say(lin, *words)
    assert isinstance(json.loads(terminal.say(lin, *words, "--json")), dict)


def test_a_job_is_quoted_submitted_shown_held_released_and_cancelled(terminal, lin):
    (terminal.home / "job.sh").write_text(JOB)
    offers = json.loads(terminal.say(lin, "quote", "job.sh", "--json"))["offers"]
    assert {offer["centre"] for offer in offers} == {"east", "west"}
    assert "east" in terminal.say(lin, "quote", "job.sh")
    accepted = json.loads(terminal.say(lin, "submit", "job.sh", "--json"))
    job = accepted["id"]
    assert job in terminal.say(lin, "ps")
    shown = json.loads(terminal.say(lin, "show", job, "--json"))
    assert (shown["job"]["state"], shown["job"]["name"]) == ("accepted", "job.sh")
    for verb in ("hold", "release"):
        assert json.loads(terminal.say(lin, verb, job, "--json"))["id"] == job
    terminal.say(lin, "cancel", job)
    assert json.loads(terminal.say(lin, "show", job, "--json"))["job"]["state"] == "cancelled"
    waited = terminal.run(lin, "wait", job)
    assert waited.returncode == 1
    assert "cancelled" in waited.stdout
    assert json.loads(terminal.say(lin, "balance", "--json"))["held"]["amount"] == "0.000000"


def test_a_command_with_options_and_inputs_is_a_job_too(terminal, lin):
    (terminal.home / "data").mkdir()
    (terminal.home / "data/a.txt").write_text("a")
    words = ["submit", "--command", "cat data/a.txt", "-o", "ntasks=2", "-o", "time=5", "-i", "data", "--json"]
    job = json.loads(terminal.say(lin, *words))["id"]
    assert json.loads(terminal.say(lin, "show", job, "--json"))["job"]["cores"] == 2


def test_windows_line_ends_are_converted_and_said_so(terminal, lin):
    (terminal.home / "job.sh").write_bytes(JOB.replace("\n", "\r\n").encode())
    done = terminal.run(lin, "submit", "job.sh")
    assert done.returncode == 0
    assert "CR LF" in done.stderr
    assert "CR LF" in terminal.run(lin, "submit", "job.sh", language="zh_CN.UTF-8").stderr


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/bin/bash\n#SBATCH --frobnicate=1\ntrue\n", "frobnicate"),
        ("#!/bin/bash\n# 熔体\ntrue\n".encode("gb18030"), "UTF-8"),
        (b"#!/bin/bash\n#SBATCH --partition=nope\ntrue\n", "nope"),
        (b"\x7fELF\x00\x01\xff", "UTF-8"),
    ],
)
def test_a_script_that_cannot_be_run_is_refused_in_a_sentence(terminal, lin, content, said):
    (terminal.home / "job.sh").write_bytes(content)
    done = terminal.run(lin, "submit", "job.sh")
    assert done.returncode in (1, 2)
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert json.loads(terminal.say(lin, "ps", "--json"))["items"] == []


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (["show", str(uuid4())], 4),
        (["show", "not-an-id"], 2),
        (["cp", "not-an-id:x", "."], 2),
        (["cp", f"{uuid4()}", "."], 2),
        (["submit"], 2),
        (["submit", "/nowhere/job.sh"], 2),
        (["submit", "/tmp"], 2),
        (["submit", "--command", "true", "-i", "absent"], 2),
        (["frobnicate"], 2),
    ],
)
def test_the_exit_status_says_what_kind_of_trouble_it_is(terminal, lin, words, status):
    done = terminal.run(lin, *words)
    assert (done.returncode, "Traceback" in done.stderr) == (status, False)


def test_nobody_and_no_server_have_statuses_of_their_own(terminal, lin):
    assert terminal.run(None, "ps").returncode == 3
    assert terminal.run(None, "ps", PARACLOUD_TOKEN="pc_of-nobody").returncode == 3
    assert terminal.run(lin, "ps", PARACLOUD_URL="http://127.0.0.1:1").returncode == 5


def test_errors_come_in_both_languages(terminal, lin):
    done = terminal.run(lin, "show", str(uuid4()))
    english, chinese = done.stderr.strip().splitlines()
    assert english.isascii()
    assert any("\u4e00" <= letter <= "\u9fff" for letter in chinese)


def test_what_a_terminal_would_act_upon_is_never_printed(terminal, served, lin):
    """Not even where a centre's text came past everything else."""
    (terminal.home / "job.sh").write_text(JOB)
    terminal.say(lin, "submit", "job.sh")
    served.do(spoil(served.house.database))
    for words in (["ps"], ["show", json.loads(terminal.say(lin, "ps", "--json"))["items"][0]["id"]]):
        shown = terminal.say(lin, *words)
        assert "evil" in shown
        assert "\x1b" not in shown
        assert "\u202e" not in shown


async def spoil(database):
    async with database.begin() as session:
        await session.execute(text("UPDATE jobs SET reason = :evil"), {"evil": "\x1b[31m\u202eevil"})


def test_a_job_without_a_folder_yet_lists_no_files(terminal, lin):
    (terminal.home / "job.sh").write_text(JOB)
    job = json.loads(terminal.say(lin, "submit", "job.sh", "--json"))["id"]
    done = terminal.run(lin, "ls", job)
    assert (done.returncode, "Traceback" in done.stderr) == (1, False)


def test_a_script_that_is_too_long_is_refused_in_both_languages_before_it_is_sent(terminal, lin):
    (terminal.home / "long.sh").write_text("#!/bin/bash\n" + "#" * 10_000_000)
    done = terminal.run(lin, "submit", "long.sh")
    said = ["script: at most 1048576 characters.", "script：最多 1048576 个字符。"]
    assert (done.returncode, done.stderr.splitlines()) == (2, said)
    assert json.loads(terminal.say(lin, "ps", "--json"))["items"] == []


def test_an_id_that_is_none_is_refused(terminal, lin):
    done = terminal.run(lin, "show", "abc", language="zh_CN.UTF-8")
    assert (done.returncode, "abc 不是编号" in done.stderr) == (2, True)


def test_several_scripts_are_several_jobs_or_none(terminal, lin):
    for name in ("first.sh", "second.sh"):
        (terminal.home / name).write_text("#!/bin/bash\n#SBATCH --time=5\ntrue\n")
    made = json.loads(terminal.say(lin, "submit", "first.sh", "second.sh", "--json"))["items"]
    listed = json.loads(terminal.say(lin, "ps", "--json"))["items"]
    assert [one["id"] for one in reversed(listed)] == [one["id"] for one in made]
    (terminal.home / "third.sh").write_text("#!/bin/bash\n#SBATCH --nodes=0\n")
    done = terminal.run(lin, "submit", "first.sh", "third.sh")
    assert (done.returncode, "third.sh: jobs[1]" in done.stderr) == (1, True)
    assert len(json.loads(terminal.say(lin, "ps", "--json"))["items"]) == 2


def test_the_one_entrance_keeps_its_users_place_and_language(terminal, lin):
    (terminal.home / "here.sh").write_text("#!/bin/bash\r\n#SBATCH --time=5\r\ntrue\r\n")
    entrance = Path(__file__).parents[3] / "run"
    done = terminal.run(lin, "submit", "here.sh", language="zh_CN.UTF-8", program=entrance)
    assert (done.returncode, "CR LF" in done.stderr) == (0, True)
    assert "最便宜" in done.stdout or "最低" in done.stdout


@pytest.mark.parametrize("token", ["中", "pc_half a token", "pc_one\npc_two"])
def test_what_is_no_token_is_refused_and_never_printed(terminal, token):
    done = terminal.run(None, "ps", PARACLOUD_TOKEN=token)
    assert (done.returncode, "Traceback" in done.stderr, token in done.stderr + done.stdout) == (3, False, False)
    assert "令牌" in done.stderr


def test_a_token_with_a_line_end_behind_it_is_that_token(terminal, lin):
    assert terminal.run(None, "ps", PARACLOUD_TOKEN=f"{lin.token}\r\n").returncode == 0


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "127.0.0.1:1", "http://127.0.0.1:1"])
def test_a_server_that_is_none_is_named_in_both_languages(terminal, lin, url):
    done = terminal.run(lin, "whoami", PARACLOUD_URL=url)
    assert (done.returncode, done.stderr.count("PARACLOUD_URL"), "Traceback" in done.stderr) == (5, 2, False)


def test_in_a_narrow_terminal_nothing_is_cut_off(terminal, lin):
    terminal.say(lin, "submit", "--command", "true")
    shown = terminal.say(lin, "movements", COLUMNS="40")
    line = json.loads(terminal.say(lin, "movements", "--json"))["lines"][0]
    for part in (line["kind"], line["reference"], line["amount"]["amount"], line["balance"]["amount"]):
        assert part in shown


def test_a_damaged_login_is_said_and_mended_by_logging_in_again(terminal, lin):
    kept = terminal.home / ".config/paracloud/login.toml"
    kept.parent.mkdir(parents=True)
    kept.write_text("url = half")
    done = terminal.run(None, "ps", PARACLOUD_URL="")
    assert (done.returncode, "Traceback" in done.stderr, "login.toml" in done.stderr) == (3, False, True)
    terminal.run(None, "login", "--url", terminal.url, PARACLOUD_TOKEN=lin.token)
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert terminal.run(None, "ps", PARACLOUD_URL="").returncode == 0


def test_what_this_machine_refuses_is_said_in_both_languages(terminal, lin):
    done = terminal.run(lin, "usage", "import", "--format", "sacct", "--centre", "x", "--dry-run", "absent.log")
    assert (done.returncode, "absent.log" in done.stderr, "无法读写" in done.stderr) == (2, True, True)


def test_no_two_commands_share_a_name():
    """Typer keeps the last of them and says nothing."""
    pending = [app]
    while pending:
        group = pending.pop()
        names = [one.name or one.callback.__name__.replace("_", "-") for one in group.registered_commands]
        names += [one.name for one in group.registered_groups]
        assert sorted(names) == sorted(set(names))
        pending += [one.typer_instance for one in group.registered_groups]


def test_who_says_no_move_binds_that_job_and_each_of_several_to_its_place(terminal, lin, served):
    for name in ("a.sh", "b.sh"):
        (terminal.home / name).write_text(JOB)

    async def may_move(jobs: list[str]) -> list[bool]:
        async with served.house.database.begin() as session:
            query = text("SELECT movable FROM jobs WHERE id = ANY(CAST(:jobs AS uuid[]))")
            return list((await session.scalars(query, {"jobs": jobs})).all())

    for words, movable in ((["--no-move"], False), ([], True)):
        one = json.loads(terminal.say(lin, "submit", "a.sh", *words, "--json"))
        several = json.loads(terminal.say(lin, "submit", "a.sh", "b.sh", *words, "--json"))
        jobs = [one["id"], *(each["id"] for each in several["items"])]
        assert served.do(may_move(jobs)) == [movable] * 3


def test_queues_show_prices_of_a_core_and_a_card_without_the_zeros_at_their_ends(terminal, lin):
    row = next(line for line in terminal.say(lin, "queues").split("\n") if "east" in line and "cpu" in line)
    assert row.split()[-2:] == ["0.36", "3"]
