"""A quote on the screen, in both languages, and what the operator says of centres."""

import json
import re

from rich.cells import cell_len

HAN = re.compile("[一-鿿]")


def table(shown: str) -> list[str]:
    """Its lines: until what explains it."""
    return re.split("Cost, wait, done by|费用、排队、完成于", shown)[0].strip("\n").split("\n")


def test_a_quote_is_read_in_80_columns_and_a_job_shows_what_was_expected(terminal, lin, boss):
    (terminal.home / "job.sh").write_text("#!/bin/sh\n#SBATCH --time=60\ntrue\n")
    tree = json.loads(terminal.say(lin, "quote", "job.sh", "--json"))
    offer = tree["offers"][0]
    for language in ("en_US.UTF-8", "zh_CN.UTF-8"):
        shown = terminal.say(lin, "quote", "job.sh", COLUMNS="80", language=language)
        lines = table(shown)
        assert max(map(cell_len, lines)) <= 80
        row = next(line for line in lines if "east/cpu" in line)
        assert "0.36/3" in row
        assert "0.36 CNY" in row
        assert f"{offer['expected']['finish_p50'][5:10]} {offer['expected']['finish_p50'][11:16]}" in row
        assert offer["expected"]["model"] in shown
        assert bool(HAN.search(lines[1])) == language.startswith("zh")

    job = json.loads(terminal.say(lin, "submit", "job.sh", "--objective", "soonest", "--json"))["id"]
    assert "P90" in terminal.say(lin, "show", job)
    assert re.search("预计 .*完成", terminal.say(lin, "show", job, language="zh_CN.UTF-8"))


def test_a_quote_shows_the_first_places_and_says_how_to_see_the_others(terminal, lin):
    words = ("quote", "--command", "true", "-o", "time=60")
    assert "--cursor" not in terminal.say(lin, *words)
    shown = terminal.say(lin, *words, "--limit", "1")
    assert "More places that fit: 3; that do not: 0. To see them: --cursor east/cpu" in shown
    rest = terminal.say(lin, *words, "--cursor", "east/cpu", "--limit", "2", language="zh_CN.UTF-8")
    assert "另有可选资源 1 个，不满足要求的 0 个。续看：--cursor west/cpu" in rest
    assert "east/cpu  " not in rest


def test_the_operator_provides_and_a_job_asks(terminal, lin, boss):
    said = terminal.say(boss, "admin", "provide", "west", "--application", "lammps", "--trust", "2", "--no-licences")
    assert re.search(r"west\s+2\s+lammps\s+none", said)
    assert re.search(r"west\s+\S+\s+2\s+lammps\s+none", terminal.say(lin, "centres"))
    words = ("quote", "--command", "true", "--application", "lammps", "--trust", "1", "--max-wait", "7-00:00:00")
    assert {one["centre"] for one in json.loads(terminal.say(lin, *words, "--json"))["offers"]} <= {"west"}
    both = terminal.run(boss, "admin", "provide", "west", "--licence", "abaqus", "--no-licences")
    assert both.returncode == 2
    assert terminal.say(boss, "admin", "residency", str(lin.project), "--region", "华北").strip() == "华北"
    assert terminal.say(boss, "admin", "residency", str(lin.project), "--anywhere").strip() == "anywhere"


def test_a_deadline_that_is_none_is_refused_before_anything_is_asked(terminal, lin):
    naive = terminal.run(lin, "quote", "--command", "true", "--deadline", "2100-01-01T00:00")
    assert (naive.returncode, "with its zone" in naive.stderr) == (2, True)
    terminal.say(lin, "quote", "--command", "true", "--deadline", "2100-01-01T00:00Z")


def test_the_operator_says_that_a_queue_is_gone_and_is_refused_while_it_is_shown(terminal, lin, boss):
    refused = terminal.run(boss, "admin", "vacate", "west", "cpu")
    assert (refused.returncode != 0, "still shows cpu" in refused.stderr) == (True, True)
    mistyped = terminal.run(boss, "admin", "vacate", "west", "cup")
    assert (mistyped.returncode != 0, "No job was ever sent" in mistyped.stderr) == (True, True)
    assert terminal.run(lin, "admin", "vacate", "west", "cpu").returncode != 0


def test_the_operator_lets_a_centre_take_no_new_jobs_for_a_while(terminal, lin, boss):
    assert terminal.say(boss, "admin", "drain", "west").strip() == "west takes no new jobs."
    assert json.loads(terminal.say(boss, "admin", "drain", "west", "--json")) == {"centre": "west", "is_drained": True}
    assert terminal.say(boss, "admin", "resume", "west").strip() == "west takes jobs again."
    assert terminal.run(lin, "admin", "drain", "west").returncode != 0
