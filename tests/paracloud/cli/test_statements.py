"""`statement`: a month on the screen and as files, and what is refused."""

import csv
import json
from datetime import timedelta

import pypdf
import pytest
from tests.paracloud.dialects.log_lines import sacct
from tests.paracloud.jobs.world import EAST, START

from paracloud.billing.charge import charge
from paracloud.dialects.history import HistoryRecord, accounted
from paracloud.dialects.slurm import history as slurm
from paracloud.metering.collect import collect
from paracloud.metering.usage import Claim, key_of

MONTH, OVER = f"{START:%Y-%m}", START + timedelta(days=2)


@pytest.fixture
def month(served, lin):
    """Usage of lin's, charged."""
    records = [accounted(one) for one in slurm.read([sacct()]) if isinstance(one, HistoryRecord)]

    async def go():
        async with served.house.database.begin() as session:
            owners = {one.account: lin.project for one in records}
            used = await collect(session, EAST, records, owners=owners, claims={}, now=OVER)
            await charge(session, used.new, pinned={}, now=START)
            assert len(used.new) == 1

    served.do(go())


def test_a_month_is_shown_in_both_languages_and_as_json(terminal, lin, month):
    tree = json.loads(terminal.say(lin, "statement", "show", MONTH, "--json"))
    assert tree["total"]["jobs"] == 1
    assert tree["total"]["wallet"] != "0.000000"
    for language, words in (("en_US.UTF-8", ("provisional", "opening balance")), ("zh_CN.UTF-8", ("暂估", "期初余额"))):
        shown = terminal.say(lin, "statement", "show", MONTH, language=language)
        assert all(word in shown for word in (*words, tree["number"], tree["closing"], tree["total"]["amount"]))


def test_files_are_fetched_by_their_names_and_whole(terminal, lin, month):
    for name in ("june.pdf", "june.csv", "june.xlsx", "june.focus.csv", "june"):
        words = ("--format", "pdf") if name == "june" else ()
        assert terminal.say(lin, "statement", "fetch", MONTH, name, *words, language="zh_CN.UTF-8").strip() == name
    for name in ("june.pdf", "june"):
        assert "账单" in pypdf.PdfReader(terminal.home / name).pages[0].extract_text()
    with (terminal.home / "june.csv").open(encoding="utf-8-sig") as lines:
        assert len(list(csv.DictReader(lines))) == 1
    assert (terminal.home / "june.xlsx").read_bytes()[:2] == b"PK"
    assert "FOCUS 1.2" in terminal.say(lin, "statement", "check", "june.focus.csv")
    assert list(terminal.home.glob("*.part")) == []


def test_a_file_that_breaks_a_rule_of_focus_is_refused_with_the_line(terminal, lin, month):
    terminal.say(lin, "statement", "fetch", MONTH, "june.focus.csv")
    file = terminal.home / "june.focus.csv"
    file.write_text(file.read_text().replace(",Usage,", ",Use,"))
    done = terminal.run(lin, "statement", "check", "june.focus.csv")
    assert (done.returncode, done.stdout.split(":")[0]) == (1, "june.focus.csv, 2")
    assert "Rules broken: 1" in done.stderr
    done = terminal.run(lin, "statement", "check", "june.focus.csv", language="zh_CN.UTF-8")
    assert ("不在允许值之内" in done.stdout, "is not" in done.stdout) == (True, False)


def test_the_operator_sees_anybodys_and_others_nobodys(terminal, lin, boss, month):
    whole = ("statement", "show", MONTH, "--organisation", str(lin.organisation), "--json")
    assert terminal.say(boss, *whole, "--operator") != ""
    assert terminal.run(boss, *whole).returncode == 4
    assert terminal.run(lin, *whole, "--operator").returncode == 1
    own, operators = (
        json.loads(terminal.say(who, *whole, *more)) for who, more in ((lin, ()), (boss, ("--operator",)))
    )
    assert own["total"] == operators["total"]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("fetch", MONTH, "june.doc"), "FILE ends in"),
        (("fetch", MONTH, "june", "--format", "doc"), "format"),
        (("fetch", MONTH, "june.pdf", "--language", "fr"), "language"),
        (("show", "2026-6"), "'2026-6' is no month; write it as 2026-06."),
        (("show", "2026/09"), "'2026/09' 不是月份；请写成 2026-06。"),
        (("fetch", "2026-13", "june.pdf"), "'2026-13' is no month"),
        (("show", "1999-01"), "'1999-01' lies outside the years 2000 to 2200"),
        (("show", "2199-01"), "month: it has not begun yet"),
    ],
)
def test_what_cannot_be_meant_is_refused_and_leaves_no_file(terminal, lin, words, why):
    done = terminal.run(lin, "statement", *words)
    assert done.returncode != 0
    assert why in " ".join(done.stderr.replace("│", " ").split())
    assert [one.name for one in terminal.home.iterdir() if one.name.startswith("june")] == []


def test_a_jobs_bill_is_shown_and_of_another_there_is_none(terminal, served, lin):
    (terminal.home / "job.sh").write_text("#!/bin/bash\n#SBATCH --time=10\ntrue\n")
    job = json.loads(terminal.say(lin, "submit", "job.sh", "--json"))["id"]
    assert json.loads(terminal.say(lin, "bill", job, "--json"))["lines"] == []
    records = [accounted(one) for one in slurm.read([sacct()]) if isinstance(one, HistoryRecord)]

    async def run() -> None:
        async with served.house.database.begin() as session:
            owners = {one.account: lin.project for one in records}
            claims = {key_of(EAST, one): Claim(job, is_duplicate=False) for one in records}
            used = await collect(session, EAST, records, owners=owners, claims=claims, now=OVER)
            await charge(session, used.new, pinned={}, now=START)

    served.do(run())
    found = json.loads(terminal.say(lin, "bill", job, "--json"))
    (line,) = found["lines"]
    assert (line["kind"], line["record_id"], line["sums"]) == ("usage", records[0].record_id, found["total"])
    assert found["total"]["wallet"] != "0.000000"
    for language, words in (("en_US.UTF-8", "total"), ("zh_CN.UTF-8", "合计")):
        shown = terminal.say(lin, "bill", job, language=language)
        assert all(one in shown for one in (words, line["core_hour"], found["total"]["amount"]))
    nobodys = terminal.run(lin, "bill", "00000000-0000-7000-8000-000000000000")
    assert nobodys.returncode == 4
