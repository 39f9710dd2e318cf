from dataclasses import replace

import pytest
from tests.paracloud.dialects.pbs.golden import NONCE, OPENPBS, TORQUE, asked, dialect, recorded

from paracloud.dialects.records import NativePhase
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Invalid, Unreachable

ACCOUNTS = ("alice", "bob")
each_flavour = pytest.mark.parametrize("flavour", [OPENPBS, TORQUE])


def observed(flavour, name="qstat"):
    return dialect(flavour).observe(ACCOUNTS).parse(recorded(flavour, name))


def one(flavour, tag_number):
    (found,) = [seen for seen in observed(flavour) if seen.tag == f"{tag_number:032x}"]
    return found


def listing(*jobs):
    answers = "".join(f"\n{NONCE}\n{job}" for job in jobs)
    return Completed(0, f"{answers}\n{NONCE} end\n".encode(), b"")


def json_job(**changes):
    said = {
        "Job_Name": "x",
        "Job_Owner": "alice@login",
        "job_state": "R",
        "ctime": "Mon Nov 23 20:43:50 2026",
    } | changes
    body = ",".join(f'"{name}":"{value}"' for name, value in said.items() if value is not None)
    return '{"timestamp":1,"pbs_version":"23","Jobs":{"7.pbs1":{' + body + "}}}"


@each_flavour
def test_the_golden_listing_answers_the_command_that_is_sent(flavour):
    assert asked(flavour, "qstat")["command"] == list(dialect(flavour).observe(ACCOUNTS).argv)


@pytest.mark.parametrize(("flavour", "id_"), [(OPENPBS, "41031"), (TORQUE, "31")])
def test_a_running_job_has_its_tag_account_start_and_nodes(flavour, id_):
    job = one(flavour, 1)
    assert (job.native_id, job.account, job.phase, job.node_list) == (id_, "alice", NativePhase.RUNNING, "n1")
    assert (job.submitted_at.timestamp(), job.started_at.timestamp()) == (1795466630, 1795466635)


@each_flavour
def test_a_waiting_job_has_no_start(flavour):
    assert (one(flavour, 4).phase, one(flavour, 4).started_at) == (NativePhase.QUEUED, None)


def test_a_waiting_job_has_the_schedulers_reason():
    assert one(OPENPBS, 4).reason == "Not Running: Insufficient amount of resource: ncpus"


@each_flavour
def test_a_held_job_is_held(flavour):
    assert one(flavour, 3).phase is NativePhase.HELD


def test_a_job_that_waits_for_another_is_queued_for_nobody_has_to_release_it():
    job = json_job(job_state="H", Hold_Types="s", depend="afterok:6.pbs1@pbs1")
    (seen,) = dialect(OPENPBS).observe(ACCOUNTS).parse(listing(job))
    assert (seen.phase, seen.reason) == (NativePhase.QUEUED, "Dependency")
    (held,) = dialect(OPENPBS).observe(ACCOUNTS).parse(listing(job.replace('"s"', '"us"')))
    assert held.phase is NativePhase.HELD


@pytest.mark.parametrize(
    ("flavour", "id_", "tasks"),
    [
        (OPENPBS, "41032[]", {1: NativePhase.RUNNING, 2: NativePhase.COMPLETED, 3: NativePhase.QUEUED}),
        (TORQUE, "32[]", {1: NativePhase.RUNNING, 2: NativePhase.QUEUED}),
    ],
)
def test_an_array_is_told_by_its_tasks_under_the_id_that_submit_returned(flavour, id_, tasks):
    array = [seen for seen in observed(flavour) if seen.native_id == id_]
    assert {seen.task_index: seen.phase for seen in array} == tasks
    assert {seen.tag for seen in array} == {f"{2:032x}"}


def test_a_number_of_any_length_in_a_variable_breaks_nothing():
    job = json_job().replace('"job_state"', '"Variable_List":{"A":' + "9" * 5000 + ',"B":1e999,"C":NaN},"job_state"')
    (seen,) = dialect(OPENPBS).observe(ACCOUNTS).parse(listing(job))
    assert seen.native_id == "7"


def test_an_array_whose_tasks_are_not_listed_is_told_by_itself():
    (seen,) = dialect(OPENPBS).observe(ACCOUNTS).parse(listing(json_job(job_state="Q").replace("7.", "7[].")))
    assert (seen.native_id, seen.task_index, seen.phase) == ("7[]", None, NativePhase.QUEUED)


@pytest.mark.parametrize(
    ("flavour", "states"),
    [
        (
            OPENPBS,
            {"E": NativePhase.ENDING, "S": NativePhase.RUNNING, "W": NativePhase.QUEUED, "M": NativePhase.UNKNOWN},
        ),
        (TORQUE, {"E": NativePhase.ENDING, "S": NativePhase.RUNNING, "C": NativePhase.FAILED}),
    ],
)
def test_every_letter_has_its_phase(flavour, states):
    seen = {one.native_state: one.phase for one in observed(flavour)}
    assert {state: seen[state] for state in states} == states


@each_flavour
def test_a_variable_that_looks_like_a_job_forges_none(flavour):
    assert "99" not in {seen.native_id for seen in observed(flavour)}
    assert len(observed(flavour)) == {OPENPBS: 10, TORQUE: 8}[flavour]


def test_an_unknown_state_is_unknown_and_keeps_its_text():
    (seen,) = dialect(OPENPBS).observe(ACCOUNTS).parse(listing(json_job(job_state="Z9")))
    assert (seen.phase, seen.native_state) == (NativePhase.UNKNOWN, "Z9")


def test_an_ended_task_without_a_status_is_on_its_way():
    (seen,) = dialect(OPENPBS).observe(ACCOUNTS).parse(listing(json_job(job_state="X")))
    assert seen.phase is NativePhase.ENDING


def test_a_listing_in_several_answers_is_one():
    both = listing(json_job(), json_job().replace("7.pbs1", "8.pbs1"))
    assert [seen.native_id for seen in dialect(OPENPBS).observe(ACCOUNTS).parse(both)] == ["7", "8"]


@pytest.mark.parametrize(
    "changes",
    [
        {"job_state": None},
        {"Job_Owner": None},
        {"Job_Owner": "@login"},
        {"Job_Owner": "a\\u202eb"},
        {"ctime": "yesterday"},
        {"ctime": "Mon Nov 31 20:43:50 2026"},
        {"job_state": "F", "Exit_status": "soon"},
    ],
)
def test_a_job_that_is_not_understood_is_broken_never_skipped(changes):
    with pytest.raises(Broken):
        dialect(OPENPBS).observe(ACCOUNTS).parse(listing(json_job(), json_job(**changes)))


@pytest.mark.parametrize("id_", ["x.pbs1", "7[a].pbs1", "7[", "-7", "٧", "7.pbs1 8"])
def test_an_id_that_is_none_is_broken(id_):
    with pytest.raises(Broken):
        dialect(OPENPBS).observe(ACCOUNTS).parse(listing(json_job().replace("7.pbs1", id_)))


@pytest.mark.parametrize(
    "answer",
    [
        "<Data><Job><Job_Id>7</Job_Id></Job>",
        "<Data><Job><Job_Name>x</Job_Name></Job></Data>",
        "<!DOCTYPE a [<!ENTITY b 'R'>]><Data><Job><Job_Id>7</Job_Id><job_state>&b;</job_state><Job_Owner>a</Job_Owner>"
        "</Job></Data>",
        "<Other/>",
        "qstat: a sentence of next year's release",
    ],
)
def test_an_answer_in_xml_that_is_not_understood_is_broken(answer):
    with pytest.raises(Broken):
        dialect(TORQUE).observe(ACCOUNTS).parse(listing(answer))


@each_flavour
def test_a_listing_cut_anywhere_is_broken(flavour):
    whole = recorded(flavour, "qstat").stdout
    for end in range(0, len(whole) - 1, 97):
        with pytest.raises(Broken):
            dialect(flavour).observe(ACCOUNTS).parse(Completed(0, whole[:end], b""))


@each_flavour
def test_what_a_start_up_file_writes_before_the_listing_is_left_out(flavour):
    whole = recorded(flavour, "qstat")
    noisy = replace(whole, stdout=b"Welcome!\n{} <Data>\n" + whole.stdout, stderr=b"stty: not a tty\n")
    assert dialect(flavour).observe(ACCOUNTS).parse(noisy) == observed(flavour)


@each_flavour
def test_a_job_that_ended_between_two_commands_hides_no_other(flavour):
    assert [seen.tag for seen in observed(flavour, "qstat-gone")] == [f"{1:032x}"]


@each_flavour
def test_a_complaint_about_something_else_is_no_ended_job(flavour):
    whole = recorded(flavour, "qstat-gone")
    with pytest.raises(Broken):
        dialect(flavour).observe(ACCOUNTS).parse(replace(whole, stderr=whole.stderr + b"qstat: Invalid request\n"))


@each_flavour
def test_silence_is_no_empty_listing(flavour):
    with pytest.raises(Unreachable):
        observed(flavour, "qstat-silent")


@each_flavour
def test_no_jobs_is_an_empty_listing(flavour):
    assert observed(flavour, "qstat-empty") == ()


def test_a_listing_over_the_limit_is_broken():
    with pytest.raises(Broken):
        dialect(OPENPBS).observe(ACCOUNTS).parse(replace(recorded(OPENPBS, "qstat"), truncated=True))


def test_escape_codes_do_not_reach_people():
    (seen,) = (
        dialect(OPENPBS).observe(ACCOUNTS).parse(listing(json_job(comment="\\u001b[2Jred", exec_host="n\\u0007/0")))
    )
    assert (seen.reason.isprintable(), seen.node_list.isprintable()) == (True, True)


@pytest.mark.parametrize("account", ["", "-x", "a,b", "a b", "a'b", "a\nb"])
def test_an_account_that_could_be_read_as_something_else_is_refused(account):
    with pytest.raises(Invalid):
        dialect(OPENPBS).observe((account,))
