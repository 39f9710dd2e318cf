from dataclasses import replace

import pytest
from tests.paracloud.dialects.gridengine.golden import NONCE, asked, dialect, recorded

from paracloud.dialects.gridengine.states import phase
from paracloud.dialects.records import NativePhase
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Invalid, Unreachable

ACCOUNTS = ("alice", "bob")
HEAD = f"\n{NONCE}\n<?xml version='1.0'?>\n"


def observed(completed=None):
    return dialect().observe(ACCOUNTS).parse(completed or recorded("qstat"))


def of(tag_number):
    return [seen for seen in observed() if seen.tag == f"{tag_number:032x}"]


def listing(**fields):
    values = {"JB_job_number": "7", "JB_owner": "alice", "state": "qw", "full_job_name": "x", **fields}
    rows = "".join(f"<{name}>{value}</{name}>" for name, value in values.items())
    xml = f"<job_info><queue_info></queue_info><job_info><job_list>{rows}</job_list></job_info></job_info>\n"
    return Completed(0, (HEAD + xml).encode(), b"")


def test_the_recorded_listing_answers_the_command_that_is_sent():
    assert asked("qstat")["command"] == list(dialect().observe(ACCOUNTS).argv)


def test_a_running_job_has_its_tag_account_start_and_host():
    (job,) = of(1)
    assert (job.native_id, job.account, job.phase, job.node_list) == (
        "5250000",
        "alice",
        NativePhase.RUNNING,
        "gridcpu2",
    )
    assert (job.started_at.isoformat(), job.submitted_at) == ("2026-11-26T21:51:55+00:00", None)


def test_an_array_shows_its_started_tasks_as_the_user_counts_them_and_the_rest_as_one():
    assert {(seen.task_index, seen.phase) for seen in of(2)} == {
        (0, NativePhase.RUNNING),
        (2, NativePhase.RUNNING),
        (None, NativePhase.QUEUED),
    }


def test_a_task_of_an_array_that_was_submitted_by_hand_keeps_its_number():
    (seen,) = observed(listing(tasks="3", state="r", JAT_start_time="2026-11-26T21:51:55"))
    assert (seen.task_index, seen.tag) == (3, None)


def test_a_held_job_is_held_and_one_that_waits_for_another_is_queued():
    (held,), (waiting,) = of(3), of(4)
    assert (held.phase, held.native_state, held.reason) == (NativePhase.HELD, "hqw", "")
    assert (waiting.phase, waiting.native_state, waiting.reason) == (NativePhase.QUEUED, "hqw", "Dependency")


def test_a_job_in_error_is_held_and_says_why():
    (job,) = [seen for seen in observed() if seen.native_state == "Eqw"]
    assert job.phase is NativePhase.HELD
    assert "error state" in job.reason


@pytest.mark.parametrize(
    ("letters", "expected"),
    [
        *(
            ("qw", NativePhase.QUEUED),
            ("Rq", NativePhase.QUEUED),
            ("hRwq", NativePhase.HELD),
            ("t", NativePhase.RUNNING),
        ),
        *(
            ("r", NativePhase.RUNNING),
            ("Rr", NativePhase.RUNNING),
            ("s", NativePhase.RUNNING),
            ("T", NativePhase.RUNNING),
        ),
        *(
            ("dr", NativePhase.ENDING),
            ("dRr", NativePhase.ENDING),
            ("Eqw", NativePhase.HELD),
            ("EhRqw", NativePhase.HELD),
        ),
        *(
            ("x", NativePhase.UNKNOWN),
            ("R", NativePhase.RUNNING),
            ("h", NativePhase.HELD),
            ("", NativePhase.UNKNOWN),
            ("rx", NativePhase.UNKNOWN),
        ),
    ],
)
def test_letters_have_their_phase_and_unknown_ones_are_unknown(letters, expected):
    assert phase(letters) is expected


def test_all_of_a_recorded_listing_is_read():
    assert len(observed()) == 11
    assert {seen.account for seen in observed()} == {"alice", "bob"}


def test_no_jobs_is_an_empty_listing():
    assert observed(recorded("qstat-empty")) == ()


def test_silence_is_no_empty_listing():
    with pytest.raises(Unreachable):
        observed(recorded("qstat-silent"))


def test_a_listing_cut_anywhere_is_broken():
    whole = recorded("qstat").stdout.rstrip()
    for cut in range(1, 1500, 7):
        with pytest.raises(Broken):
            observed(Completed(0, whole[:-cut], b""))


def test_what_a_start_up_file_writes_before_the_listing_is_left_out():
    whole = recorded("qstat")
    noisy = replace(whole, stdout=b"Welcome!\n<job_info></job_info>\n" + whole.stdout)
    assert observed(noisy) == observed()


def test_a_listing_without_this_calls_nonce_is_broken():
    whole = recorded("qstat")
    with pytest.raises(Broken):
        observed(replace(whole, stdout=whole.stdout.replace(NONCE.encode(), b"pc0")))


@pytest.mark.parametrize("part", ["<queue_info></queue_info>", "<job_info><job_list>", "</job_info></job_info>"])
def test_a_listing_without_one_of_its_parts_is_no_empty_one(part):
    whole = listing()
    assert part.encode() in whole.stdout
    with pytest.raises(Broken):
        observed(replace(whole, stdout=whole.stdout.replace(part.encode(), b"")))


def test_an_entity_is_never_expanded():
    bomb = "<!DOCTYPE a [<!ENTITY b 'c'><!ENTITY d '&b;&b;'>]>"
    with pytest.raises(Broken):
        observed(Completed(0, f"\n{NONCE}\n<?xml version='1.0'?>{bomb}<job_info>&d;</job_info>".encode(), b""))


def test_letters_that_are_no_xml_do_not_hide_everybodys_jobs():
    (seen,) = observed(listing(full_job_name="a\x01b\x1b[0m"))
    assert seen.native_id == "7"


@pytest.mark.parametrize(
    "fields",
    [
        {"JB_job_number": ""},
        {"JB_job_number": "-7"},
        {"JB_owner": ""},
        {"JB_owner": "al\u202eice"},
        {"state": "r", "JAT_start_time": "yesterday"},
        {"JB_submission_time": "2026-13-45T99:00:00"},
    ],
)
def test_a_job_that_is_not_understood_is_broken_never_skipped(fields):
    with pytest.raises(Broken):
        observed(listing(**fields))


@pytest.mark.parametrize("account", ["", "-x", "a,b", "a b", "a'b", "a\nb"])
def test_an_account_that_could_be_read_as_something_else_is_refused(account):
    with pytest.raises(Invalid):
        dialect().observe((account,))
