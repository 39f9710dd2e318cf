import pytest
from tests.paracloud.dialects.pbs.stand_in import PbsStandIn
from tests.paracloud.dialects.stand_in import request

from paracloud.dialects.pbs.dialect import openpbs, torque
from paracloud.kit.command import Completed
from paracloud.kit.errors import Broken, Unreachable


@pytest.fixture
def centre(tmp_path):
    return PbsStandIn(tmp_path)


@pytest.mark.parametrize("make", [openpbs, torque])
def test_the_answer_for_an_array_is_the_jobs_number_and_brackets(tmp_path, make):
    centre, job = PbsStandIn(tmp_path, make()), request(array="0-9")
    for _ in range(2):
        assert centre.ask(centre.submission(job)) == {job.tag: "41000[]"}


def test_a_lost_answer_is_looked_for_among_ended_jobs_too(centre):
    command = centre.submission(request())
    centre.lose(command)
    assert list(centre.ask(command).values()) == ["41000"]
    assert (centre.folder / "qselect.calls").read_text().startswith("-x -u ")


def test_a_server_that_remembers_no_ended_jobs_is_asked_for_the_others(centre):
    command = centre.submission(request())
    centre.lose(command)
    centre.set("qselect.forgets")
    assert list(centre.ask(command).values()) == ["41000"]
    assert len(centre.jobs()) == 1


def test_of_an_array_that_pbs_has_forgotten_the_marker_of_a_task_tells_the_arrays_id(centre):
    job = request(array="0-9")
    centre.folder_of(job).mkdir(parents=True)
    (centre.folder_of(job) / "run.3").symlink_to("410070000003")
    centre.set("qselect.empty")
    assert centre.ask(centre.submission(job)) == {job.tag: "41007[]"}


def test_an_array_whose_tasks_torque_calls_by_names_of_their_own_is_found(tmp_path):
    centre, job = PbsStandIn(tmp_path, torque()), request(array="4-9")
    command = centre.submission(job)
    centre.lose(command)
    centre.set("jobs", f"41000[4].east pc-{job.tag}-4\n")
    assert centre.ask(command) == {job.tag: "41000[]"}


def test_a_refused_queue_is_named_as_the_field_at_fault(centre):
    centre.set("mode", "qsub: Unknown queue")
    (answer,) = centre.ask(centre.submission(request())).values()
    assert answer.field == "queue"


def test_find_asks_for_each_tag_and_takes_the_first_of_two(centre):
    tags = [f"{number:032x}" for number in (1, 2, 3)]
    centre.set("jobs", f"41009.east pc-{tags[0]}\n41007.east pc-{tags[0]}\n41010[].east pc-{tags[1]}\n")
    assert openpbs().find(tags, None).cost == 3
    assert centre.ask(openpbs().find(tags, None)) == {tags[0]: "41007", tags[1]: "41010[]"}
    centre.set("qselect.silent")
    with pytest.raises(Unreachable):
        centre.ask(openpbs().find(tags, None))


def test_an_answer_to_find_that_was_cut_is_broken():
    command = openpbs(lambda: "PCN").find(["0" * 32], None)
    whole = b"PCN " + b"0" * 32 + b" 7.east\nPCN end\n"
    assert command.parse(Completed(0, whole, b"")) == {"0" * 32: "7"}
    for cut in range(2, len(whole)):
        with pytest.raises(Broken):
            command.parse(Completed(0, whole[:-cut], b""))
