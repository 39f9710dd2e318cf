"""`paracloud simulate`, which needs no server."""

import json

import pytest

from paracloud.cli.simulate import spread

TRACE = "".join(
    f"{at} {at * 10} -1 {50 + at % 7} 2 -1 -1 2 {100 + at % 3} -1 1 {at % 4} 1 -1 -1 -1 -1 -1\n" for at in range(60)
)


@pytest.fixture
def offline(terminal):
    """Nobody is logged in, and nothing listens."""
    terminal.url = "http://127.0.0.1:9"
    (terminal.home / "a.swf").write_text(TRACE)
    (terminal.home / "empty.swf").write_text("; Computer: none\n")
    (terminal.home / "two.csv").write_text(
        "submit_s,run_s,procs,requested_s,home_centre,user\n0,10,2,10,0,a\n0,10,2,10,1,b\n"
    )
    return terminal


def test_policies_are_told_side_by_side_and_the_last_line_is_json(offline):
    words = ("--trace", "a.swf:4", "a.swf:8", "--policy", "local", "ours", "multi-2", "--json", "--report", "page.html")
    done = offline.run(None, "simulate", *words)
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout.splitlines()[-1])["policies"]
    assert list(told) == ["local", "ours", "multi-2"]
    assert {"mean_bounded_slowdown", "p95_bounded_slowdown", "mean_wait_s", "utilisation", "moves",
            "submissions_per_job"} <= told["ours"].keys()  # fmt: skip
    assert told["ours"]["mean_bounded_slowdown"] < told["local"]["mean_bounded_slowdown"]
    assert (told["local"]["submissions_per_job"], told["multi-2"]["submissions_per_job"]) == (1, 2)
    page = (offline.home / "page.html").read_text()
    assert all(name in page for name in told)
    assert "<script" not in page
    assert "<svg" in page


def test_a_table_for_people_with_what_others_felt(offline):
    done = offline.run(
        None, "simulate", "--trace", "a.swf:4", "--trace", "a.swf:8", "--policy", "ours", "--broker-share", "0.5"
    )
    assert done.returncode == 0, done.stderr
    assert "others' slowdown" in done.stdout


def test_one_trace_under_two_names_is_shifted_as_one_that_comes_twice(offline):
    (offline.home / "link.swf").symlink_to(offline.home / "a.swf")

    def told(*traces: str) -> str:
        return offline.run(None, "simulate", "--trace", *traces, "--policy", "local", "--json").stdout

    twice = told("a.swf:4", "a.swf:4")
    assert "mean_wait_s" in twice
    assert told("a.swf:4", "./a.swf:4") == told("a.swf:4", "link.swf:4") == twice


def test_centres_that_may_count_from_0_or_from_1_are_said_to_count_from_0(offline):
    head = "submit_s,run_s,procs,requested_s,home_centre,user\n"

    def told(*homes: int) -> str:
        text = head + "".join(f"0,10,2,10,{home},a\n" for home in homes)
        (offline.home / "some.csv").write_text(text)
        return offline.run(None, "simulate", "--jobs", "some.csv", "--capacity", "4,4,4", "--policy", "local").stderr

    assert "count from 0" in told(1, 2)
    assert "count from" not in told(0, 1)
    assert "count from" not in told(1, 3)


def test_how_many_jobs_say_no_time_limit_is_told(offline):
    (offline.home / "b.swf").write_text(TRACE.replace(" 100 -1 1 ", " -1 -1 1 "))
    done = offline.run(None, "simulate", "--trace", "b.swf:4", "--policy", "ours", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])["jobs_without_request"] == 20
    assert "20 jobs say no time limit" in done.stderr
    assert "time limit" not in offline.run(None, "simulate", "--trace", "a.swf:4", "--policy", "ours").stderr


def test_those_who_do_not_use_the_broker_are_told_apart(offline):
    words = ("--trace", "a.swf:4", "a.swf:8", "--policy", "local,ours", "--broker-share", "0.5", "--json")
    told = json.loads(offline.run(None, "simulate", *words).stdout.splitlines()[-1])["policies"]
    for one in told.values():
        assert one["others"]["jobs"] + one["brokered"]["jobs"] == one["jobs"] == 120
        assert {"mean_bounded_slowdown", "p95_bounded_slowdown", "mean_wait_s"} <= one["others"].keys()
        mean = sum(part["mean_wait_s"] * part["jobs"] for part in (one["others"], one["brokered"])) / 120
        assert mean == pytest.approx(one["mean_wait_s"], abs=0.2)
    assert told["ours"]["brokered"] != told["local"]["brokered"]


def test_jobs_of_a_csv_file(offline):
    (offline.home / "jobs.csv").write_text(
        "submit_s,run_s,procs,requested_s,home_centre,user\n0,10,4,10,0,a\n0,10,4,10,0,b\n"
    )
    done = offline.run(
        None, "simulate", "--jobs", "jobs.csv", "--capacity", "4,4", "--policy", "local,reroute", "--json"
    )
    told = json.loads(done.stdout.splitlines()[-1])["policies"]
    assert [one["mean_wait_s"] for one in told.values()] == [5, 0]


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "Give --trace, or --jobs"),
        (("--trace", "a.swf"), "FILE:PROCS"),
        (("--trace", "a.swf:0"), "no number of processors"),
        (("--trace", "none:4"), "There is no file none"),
        (("--trace", "a.swf:4", "--policy", "best"), "best is no policy"),
        (("--trace", "a.swf:1"), "There is no job to play"),
        (("--trace", "a.swf:4", "--capacity", "4"), "--capacity belongs to --jobs"),
        (("--trace", "a.swf:4", "--broker-share", "2"), "--broker-share is 0 to 1"),
        (("--trace", "a.swf:4", "--broker-share", "nan"), "--broker-share is 0 to 1"),
        (("--trace", "a.swf:4", "--policy", ","), "--policy names none"),
        (("--trace", "a.swf:4", "--discipline", "sjf"), "'sjf' is not one of 'fcfs'"),
        (("--trace", "a.swf:" + "9" * 5000), "is no number of processors"),
        (("--trace", "a.swf:4", "--report", "nowhere/page.html"), "nowhere/page.html cannot be written"),
        (("--trace", "empty.swf:4"), "There is no job to play"),
        (("--jobs", "a.swf", "--capacity", "4"), "the header lacks"),
        (("--jobs", "two.csv"), "'' is no number of processors"),
        (("--jobs", "two.csv", "--capacity", "4"), "home_centre 1 is not in 0 to 0"),
        (("--jobs", "two.csv", "--capacity", "4,-4"), "'-4' is no number of processors"),
        (("--jobs", "two.csv", "--capacity", "4;4"), "'4;4' is no number of processors"),
        (("--jobs", "two.csv", "--capacity", "1,1"), "There is no job to play"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_what_to_change(offline, words, why):
    done = offline.run(None, "simulate", *words)
    assert done.returncode == 2
    assert why in " ".join(done.stderr.replace("│", " ").split())
    assert "Traceback" not in done.stderr


def test_an_option_takes_several_values_until_the_next():
    assert spread(["simulate", "--trace", "a", "b", "--json", "--policy", "x", "y", "z", "--seed", "1"]) == [
        "simulate", "--trace", "a", "--trace", "b", "--json", "--policy", "x", "--policy", "y", "--policy", "z",
        "--seed", "1",
    ]  # fmt: skip
    assert spread(["submit", "a.sh", "b"]) == ["submit", "a.sh", "b"]
